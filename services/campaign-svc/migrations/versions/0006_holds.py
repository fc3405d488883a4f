"""Launches that wait or have ended before their end, and what matters more where a person gets only so much."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    op.execute("ALTER TABLE campaign ADD COLUMN priority int NOT NULL DEFAULT 50")
    op.execute(
        """
        ALTER TABLE launch
            ADD COLUMN hold text NOT NULL DEFAULT '',
            ADD COLUMN hold_version bigint NOT NULL DEFAULT 0,
            ADD COLUMN hold_reason text NOT NULL DEFAULT '',
            ADD COLUMN held_by text NOT NULL DEFAULT '',
            ADD COLUMN held_at timestamptz
        """
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE campaign DROP COLUMN priority")
    op.execute(
        """
        ALTER TABLE launch DROP COLUMN hold, DROP COLUMN hold_version, DROP COLUMN hold_reason, DROP COLUMN held_by,
            DROP COLUMN held_at
        """
    )
