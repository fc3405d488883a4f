"""Leads of one form stand in line."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Find the first of each line without reading those behind it."""
    op.execute(
        """
        -- No installation is older than this revision: the table is empty when it runs.
        -- squawk-ignore require-concurrent-index-creation
        CREATE INDEX spool_line ON spool (path, id) WHERE state = 'waiting'
        """
    )


def downgrade() -> None:
    """Drop the index."""
    op.execute("DROP INDEX spool_line")
