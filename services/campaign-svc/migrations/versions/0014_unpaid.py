"""Orders that were paid and are not any more: which news of it is the newest."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add what the version that still runs does not name; it hears of no order that is unpaid again."""
    op.execute("ALTER TABLE club_order ADD COLUMN paid_version integer NOT NULL DEFAULT 0")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE club_order DROP COLUMN paid_version")
