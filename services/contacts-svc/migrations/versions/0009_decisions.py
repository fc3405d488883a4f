"""Suppressions by scope, topics, and how people want to be written to."""

from alembic import op

revision = "0009"
down_revision = "0008"

_TABLES = (
    """
    CREATE TABLE suppression_scope (
        id uuid PRIMARY KEY,
        hash bytea NOT NULL,
        kind varchar NOT NULL CHECK (kind IN ('email', 'phone')),
        scope varchar NOT NULL CHECK (scope IN ('list', 'topic', 'channel', 'everything')),
        scope_id varchar NOT NULL,
        reason varchar NOT NULL,
        actor varchar NOT NULL,
        at timestamptz NOT NULL,
        UNIQUE (hash, scope, scope_id),
        CHECK ((scope = 'everything') = (scope_id = ''))
    )
    """,
    """
    CREATE TABLE topic (
        key varchar PRIMARY KEY,
        purpose varchar NOT NULL,
        names jsonb NOT NULL,
        position int NOT NULL,
        is_open boolean NOT NULL,
        version int NOT NULL CHECK (version > 0)
    )
    """,
    """
    CREATE TABLE preference (
        person_id uuid PRIMARY KEY,
        channels jsonb NOT NULL,
        topics jsonb NOT NULL,
        hour_from int CHECK (hour_from BETWEEN 0 AND 23),
        hour_to int CHECK (hour_to BETWEEN 1 AND 24),
        days jsonb NOT NULL,
        per_month int CHECK (per_month BETWEEN 1 AND 31),
        paused_until timestamptz,
        version int NOT NULL CHECK (version > 0),
        updated_at timestamptz NOT NULL,
        CHECK ((hour_from IS NULL) = (hour_to IS NULL) AND (hour_from IS NULL OR hour_from < hour_to))
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE preference, topic, suppression_scope")
