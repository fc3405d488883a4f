"""The topic that a campaign is about, and the list that it speaks to."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    op.execute(
        "ALTER TABLE campaign ADD COLUMN topic text NOT NULL DEFAULT '', ADD COLUMN list_id uuid"
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE campaign DROP COLUMN topic, DROP COLUMN list_id")
