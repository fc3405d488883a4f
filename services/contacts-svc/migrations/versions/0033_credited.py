"""What credit notes took off what people owe."""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    op.execute("ALTER TABLE invoice_fact ADD COLUMN credited_minor bigint NOT NULL DEFAULT 0")


def downgrade() -> None:
    """Drop it: what was credited counts as owed again."""
    op.execute("ALTER TABLE invoice_fact DROP COLUMN credited_minor")
