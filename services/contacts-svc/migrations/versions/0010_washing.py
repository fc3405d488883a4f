"""Reservation registers, their washes, and whom they name."""

from alembic import op

revision = "0010"
down_revision = "0009"

_TABLES = (
    """
    CREATE TABLE reservation_register (
        id uuid PRIMARY KEY,
        key varchar NOT NULL UNIQUE,
        name varchar NOT NULL,
        country varchar NOT NULL,
        channels jsonb NOT NULL,
        matches varchar NOT NULL CHECK (matches IN ('phone', 'address')),
        interval_days int NOT NULL CHECK (interval_days BETWEEN 1 AND 400),
        mapping jsonb NOT NULL,
        version int NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE wash (
        id uuid PRIMARY KEY,
        register_id uuid NOT NULL REFERENCES reservation_register (id),
        as_of date NOT NULL,
        file_sha256 varchar NOT NULL,
        rows int NOT NULL,
        named int NOT NULL,
        refused int NOT NULL,
        actor varchar NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_wash_register ON wash (register_id, as_of)",
    """
    CREATE TABLE register_hit (
        register_id uuid NOT NULL REFERENCES reservation_register (id),
        hash bytea NOT NULL,
        wash_id uuid NOT NULL,
        PRIMARY KEY (register_id, hash)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE register_hit, wash, reservation_register")
