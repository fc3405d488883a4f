"""Launches that wait, that have ended before their end, and that are to begin at a moment."""

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
    op.execute(
        """
        CREATE TABLE schedule (
            campaign_id uuid PRIMARY KEY REFERENCES campaign ON DELETE CASCADE,
            launch_at   timestamptz NOT NULL,
            state       text NOT NULL CHECK (state IN ('planned', 'launched', 'missed', 'refused')),
            sign_off    jsonb,
            problem     text NOT NULL DEFAULT '',
            set_by      text NOT NULL,
            changed_at  timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP TABLE schedule")
    op.execute("ALTER TABLE campaign DROP COLUMN priority")
    op.execute(
        """
        ALTER TABLE launch DROP COLUMN hold, DROP COLUMN hold_version, DROP COLUMN hold_reason, DROP COLUMN held_by,
            DROP COLUMN held_at
        """
    )
