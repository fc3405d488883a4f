"""The value of people, their lifecycle, and the quality of what is known of them."""

from alembic import op

revision = "0019"
down_revision = "0018"

_TABLES = (
    """
    CREATE TABLE value_rules (
        id int PRIMARY KEY CHECK (id = 1),
        version int NOT NULL,
        rules jsonb NOT NULL,
        actor varchar NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE person_value (
        person_id uuid PRIMARY KEY,
        version int NOT NULL,
        orders int NOT NULL,
        first_order_at timestamptz NOT NULL,
        last_order_at timestamptz NOT NULL,
        currency varchar NOT NULL,
        spent_minor bigint NOT NULL,
        recency int NOT NULL,
        frequency int NOT NULL,
        monetary int NOT NULL,
        rfm_class varchar NOT NULL,
        tier varchar NOT NULL,
        rules_version int NOT NULL,
        next_at timestamptz,
        updated_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_person_value_class ON person_value (rfm_class, person_id)",
    "CREATE INDEX ix_person_value_tier ON person_value (tier, person_id)",
    "CREATE INDEX ix_person_value_next_at ON person_value (next_at)",
    "CREATE INDEX ix_person_value_rules ON person_value (rules_version, person_id)",
    """
    CREATE TABLE lifecycle_change (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        person_id uuid NOT NULL,
        before varchar NOT NULL,
        after varchar NOT NULL,
        reason varchar NOT NULL,
        actor varchar NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_lifecycle_change_person ON lifecycle_change (person_id, at)",
    """
    CREATE TABLE lifecycle_pin (
        person_id uuid PRIMARY KEY,
        until timestamptz NOT NULL,
        actor varchar NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_lifecycle_pin_until ON lifecycle_pin (until)",
    """
    CREATE TABLE quality_score (
        person_id uuid PRIMARY KEY,
        completeness int NOT NULL,
        validity int NOT NULL,
        reachability int NOT NULL,
        freshness int NOT NULL,
        score int NOT NULL,
        source varchar NOT NULL,
        scored_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_quality_score_source ON quality_score (source)",
    "CREATE INDEX ix_quality_score_scored_at ON quality_score (scored_at)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute(
        "DROP TABLE quality_score, lifecycle_pin, lifecycle_change, person_value, value_rules"
    )
