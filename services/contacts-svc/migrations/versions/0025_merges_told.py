"""Which merges the other services were told of."""

from alembic import op

revision = "0025"
down_revision = "0024"

_STEPS = (
    # Empty for those that were there before: they are told (once more), and who knows them drops that.
    "ALTER TABLE merge ADD COLUMN told_at timestamptz",
    """
    -- squawk-ignore-file require-concurrent-index-creation
    CREATE INDEX ix_merge_untold ON merge (merged_at) WHERE told_at IS NULL AND state = 'done'
    """,
)


def upgrade() -> None:
    """Add the moment, and find what has none."""
    for step in _STEPS:
        op.execute(step)


def downgrade() -> None:
    """Drop both."""
    op.execute("DROP INDEX ix_merge_untold")
    op.execute("ALTER TABLE merge DROP COLUMN told_at")
