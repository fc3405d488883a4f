"""How imports read values and what they may replace; saved mappings; whom an import has touched, so that it can be undone."""

from alembic import op

revision = "0013"
down_revision = "0012"

_UP = (
    """
    -- No installation is older than this revision: the tables are empty when it runs.
    -- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid, require-concurrent-index-creation
    SELECT
    """,
    """
    ALTER TABLE import
        ADD COLUMN kind varchar NOT NULL DEFAULT 'csv' CHECK (kind IN ('csv', 'xlsx')),
        ADD COLUMN file_sha256 varchar NOT NULL DEFAULT '',
        ADD COLUMN formats jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN policies jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN as_of timestamptz,
        ADD COLUMN list_id uuid,
        ADD COLUMN listed int NOT NULL DEFAULT 0,
        ADD COLUMN undone int NOT NULL DEFAULT 0,
        ADD COLUMN kept int NOT NULL DEFAULT 0,
        ADD COLUMN undone_at timestamptz
    """,
    "ALTER TABLE import DROP CONSTRAINT import_state_check",
    """
    ALTER TABLE import ADD CONSTRAINT import_state_check
        CHECK (state IN ('running', 'done', 'failed', 'undoing', 'undone'))
    """,
    "CREATE INDEX ix_import_file ON import (file_sha256)",
    """
    CREATE TABLE import_mapping (
        id uuid PRIMARY KEY,
        name varchar NOT NULL UNIQUE,
        version int NOT NULL,
        mapping jsonb NOT NULL,
        formats jsonb NOT NULL,
        policies jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE import_touched (
        import_id uuid NOT NULL,
        person_id uuid NOT NULL,
        was_created boolean NOT NULL,
        is_settled boolean NOT NULL,
        kept_because varchar NOT NULL,
        PRIMARY KEY (import_id, person_id)
    )
    """,
    "CREATE INDEX ix_import_touched_person ON import_touched (person_id)",
    """
    CREATE TABLE person_field_source (
        person_id uuid NOT NULL,
        field varchar NOT NULL,
        import_id uuid NOT NULL,
        as_of timestamptz NOT NULL,
        PRIMARY KEY (person_id, field)
    )
    """,
)

_COLUMNS = (
    "kind",
    "file_sha256",
    "formats",
    "policies",
    "as_of",
    "list_id",
    "listed",
    "undone",
    "kept",
    "undone_at",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE person_field_source, import_touched, import_mapping")
    op.execute("DELETE FROM import WHERE state IN ('undoing', 'undone')")
    op.execute("ALTER TABLE import DROP CONSTRAINT import_state_check")
    op.execute(
        "ALTER TABLE import ADD CONSTRAINT import_state_check CHECK (state IN ('running', 'done', 'failed'))"
    )
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE import DROP COLUMN {column}")
