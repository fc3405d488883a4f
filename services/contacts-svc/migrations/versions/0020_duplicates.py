"""Who may be the same person as whom, and who was merged into whom."""

from alembic import op

revision = "0020"
down_revision = "0019"

_TABLES = (
    """
    CREATE TABLE duplicate_due (
        person_id uuid PRIMARY KEY
    )
    """,
    """
    CREATE TABLE duplicate_key (
        person_id uuid NOT NULL,
        key bigint NOT NULL,
        PRIMARY KEY (person_id, key)
    )
    """,
    "CREATE INDEX ix_duplicate_key_block ON duplicate_key (key, person_id)",
    """
    CREATE TABLE duplicate_pair (
        id uuid PRIMARY KEY,
        one_id uuid NOT NULL,
        other_id uuid NOT NULL,
        score int NOT NULL,
        reasons jsonb NOT NULL,
        state varchar NOT NULL,
        found_at timestamptz NOT NULL,
        decided_at timestamptz,
        decided_by varchar NOT NULL,
        UNIQUE (one_id, other_id)
    )
    """,
    "CREATE INDEX ix_duplicate_pair_other ON duplicate_pair (other_id)",
    "CREATE INDEX ix_duplicate_pair_queue ON duplicate_pair (state, score DESC, id)",
    """
    CREATE TABLE merge (
        id uuid PRIMARY KEY,
        known_id uuid NOT NULL,
        merged_id uuid NOT NULL,
        reason varchar NOT NULL,
        state varchar NOT NULL,
        kept jsonb NOT NULL,
        merged_at timestamptz NOT NULL,
        merged_by varchar NOT NULL,
        undone_at timestamptz,
        undone_by varchar NOT NULL
    )
    """,
    "CREATE INDEX ix_merge_known ON merge (known_id)",
    "CREATE UNIQUE INDEX ix_merge_merged ON merge (merged_id) WHERE state <> 'undone'",
)


def upgrade() -> None:
    """Make the tables; who is known already is looked at by and by."""
    for statement in _TABLES:
        op.execute(statement)
    op.execute("INSERT INTO duplicate_due (person_id) SELECT id FROM person WHERE NOT is_erased")


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE merge, duplicate_pair, duplicate_key, duplicate_due")
