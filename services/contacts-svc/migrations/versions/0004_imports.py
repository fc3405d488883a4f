"""Imports with their checkpoints, and the rows that were not taken."""

from alembic import op

revision = "0004"
down_revision = "0003"

_TABLES = (
    """
    CREATE TABLE import (
        id uuid PRIMARY KEY,
        name varchar NOT NULL,
        state varchar NOT NULL CHECK (state IN ('running', 'done', 'failed')),
        problem varchar NOT NULL,
        encoding varchar NOT NULL,
        delimiter varchar NOT NULL,
        mapping jsonb NOT NULL,
        header jsonb NOT NULL,
        country varchar NOT NULL,
        source varchar NOT NULL,
        on_existing varchar NOT NULL,
        permission_source varchar NOT NULL,
        permission_text varchar NOT NULL,
        file_bytes bigint NOT NULL,
        offset_bytes bigint NOT NULL,
        row_number int NOT NULL,
        created int NOT NULL,
        updated int NOT NULL,
        unchanged int NOT NULL,
        rejected int NOT NULL,
        permissions int NOT NULL,
        actor varchar NOT NULL,
        started_at timestamptz NOT NULL,
        finished_at timestamptz
    )
    """,
    """
    CREATE TABLE import_reject (
        import_id uuid NOT NULL,
        row_number int NOT NULL,
        reason varchar NOT NULL,
        cells jsonb NOT NULL,
        PRIMARY KEY (import_id, row_number)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE import_reject")
    op.execute("DROP TABLE import")
