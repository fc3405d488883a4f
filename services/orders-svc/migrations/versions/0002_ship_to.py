"""Where the parcel of an order goes, when its answer gave another address."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE sales_order ADD COLUMN ship_to jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE sales_order DROP COLUMN ship_to")
