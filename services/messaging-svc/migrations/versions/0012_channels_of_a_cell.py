"""A cell speaks in several channels, in each with a template of its own."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Let a cell have a source per channel."""
    op.execute(
        """
        -- Sources are few, some to a launch. The version that still runs is refused when it takes in pieces; it tries
        -- again until the new one does: nothing is lost, and nothing else waits.
        -- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid, disallowed-unique-constraint
        ALTER TABLE dispatch_source DROP CONSTRAINT dispatch_source_launch_id_cell_id_key
        """
    )
    op.execute(
        """
        ALTER TABLE dispatch_source
            ADD CONSTRAINT dispatch_source_launch_cell_channel UNIQUE (launch_id, cell_id, channel)
        """
    )


def downgrade() -> None:
    """Back to one; fails where a cell has spoken in two channels, whose messages are kept."""
    op.execute("ALTER TABLE dispatch_source DROP CONSTRAINT dispatch_source_launch_cell_channel")
    op.execute("ALTER TABLE dispatch_source ADD UNIQUE (launch_id, cell_id)")
