"""Profiles that are counted from an index, what waits for whom, and segments that tell who comes and goes."""

from alembic import op

revision = "0022"
down_revision = "0021"

_UP = (
    """
    -- No installation is older than this revision: the tables are empty when it runs.
    -- squawk-ignore-file constraint-missing-not-valid, require-concurrent-index-creation
    SELECT
    """,
    # What conditions ask most of, narrow and together: they are answered from the index without the rows.
    """
    CREATE INDEX ix_person_profile ON person
        (country, lifecycle, language, source, postal_code, city, created_at, id) WHERE NOT is_erased
    """,
    "CREATE INDEX ix_person_city ON person (lower(city))",
    "CREATE INDEX ix_person_postal_code ON person (postal_code text_pattern_ops)",
    "CREATE INDEX ix_person_created_at ON person (created_at)",
    "CREATE INDEX ix_touched_person_segments ON touched_person (id) WHERE followed & 1 = 0",
    "CREATE INDEX ix_touched_person_duplicates ON touched_person (id) WHERE followed & 2 = 0",
    "ALTER TABLE segment ADD COLUMN announces varchar NOT NULL DEFAULT 'nothing'",
    """
    ALTER TABLE segment ADD CONSTRAINT segment_announces
        CHECK (announces IN ('nothing', 'changes', 'everything'))
    """,
    "ALTER TABLE segment_state ADD COLUMN revision bigint NOT NULL DEFAULT 0",
    "ALTER TABLE segment_state ADD COLUMN basis varchar NOT NULL DEFAULT ''",
)
_DOWN = (
    "ALTER TABLE segment_state DROP COLUMN basis, DROP COLUMN revision",
    "ALTER TABLE segment DROP COLUMN announces",
    "DROP INDEX ix_touched_person_duplicates, ix_touched_person_segments",
    "DROP INDEX ix_person_created_at, ix_person_postal_code, ix_person_city, ix_person_profile",
)


def upgrade() -> None:
    """Make the indexes and columns."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    for statement in _DOWN:
        op.execute(statement)
