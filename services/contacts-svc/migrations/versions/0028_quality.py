"""By which rules pairs were compared, how often who is to be compared has changed, and how registers name people."""

from alembic import op

revision = "0028"
down_revision = "0027"

_UP = (
    # Those of before were compared by rules that nobody noted: they are compared once more.
    "ALTER TABLE duplicate_pair ADD COLUMN rules integer NOT NULL DEFAULT 0",
    """
    -- squawk-ignore-file require-concurrent-index-creation
    CREATE INDEX ix_duplicate_pair_rules ON duplicate_pair (rules) WHERE state = 'open'
    """,
    "ALTER TABLE duplicate_due ADD COLUMN times integer NOT NULL DEFAULT 1",
    """
    CREATE TABLE doorstep (
        person_id uuid PRIMARY KEY,
        seal bigint NOT NULL,
        hash bytea NOT NULL
    )
    """,
)
_DOWN = (
    "DROP TABLE doorstep",
    "ALTER TABLE duplicate_due DROP COLUMN times",
    "DROP INDEX ix_duplicate_pair_rules",
    "ALTER TABLE duplicate_pair DROP COLUMN rules",
)


def upgrade() -> None:
    """Add what is noted from now on."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop it again."""
    for statement in _DOWN:
        op.execute(statement)
