"""Segments, facts of orders, and frozen audiences."""

from alembic import op

revision = "0003"
down_revision = "0002"

_TABLES = (
    """
    CREATE TABLE segment (
        id uuid PRIMARY KEY,
        name varchar NOT NULL,
        version int NOT NULL,
        condition jsonb NOT NULL,
        is_active boolean NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE order_fact (
        order_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        version int NOT NULL,
        total_minor bigint NOT NULL,
        currency varchar NOT NULL,
        placed_at timestamptz NOT NULL,
        paid_at timestamptz
    )
    """,
    "CREATE INDEX ix_order_fact_person ON order_fact (person_id, placed_at)",
    """
    CREATE TABLE frozen_audience (
        launch_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        segment_id uuid NOT NULL,
        segment_name varchar NOT NULL,
        condition jsonb NOT NULL,
        channel varchar NOT NULL,
        purpose varchar NOT NULL,
        total int NOT NULL,
        frozen_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE frozen_member (
        launch_id uuid NOT NULL,
        person_id uuid NOT NULL,
        because jsonb NOT NULL,
        PRIMARY KEY (launch_id, person_id)
    )
    """,
    "CREATE INDEX ix_frozen_member_person_id ON frozen_member (person_id)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in ("frozen_member", "frozen_audience", "order_fact", "segment"):
        op.execute(f"DROP TABLE {table}")
