"""Whose facts have changed, lists that people are put on, and the ids of those who were merged."""

from alembic import op

revision = "0005"
down_revision = "0004"

_TABLES = (
    """
    CREATE TABLE touched_person (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        person_id uuid NOT NULL,
        families int NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE list_member (
        segment_id uuid NOT NULL,
        person_id uuid NOT NULL,
        source varchar NOT NULL,
        added_at timestamptz NOT NULL,
        PRIMARY KEY (segment_id, person_id)
    )
    """,
    "CREATE INDEX ix_list_member_person_id ON list_member (person_id)",
    """
    CREATE TABLE person_alias (
        merged_id uuid PRIMARY KEY,
        known_id uuid NOT NULL,
        version int NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_person_alias_known_id ON person_alias (known_id)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE person_alias, list_member, touched_person")
