"""Erasures and what each service answered; what a person asked to be told; how long data is kept."""

from alembic import op

from kantis_kit.db.tables import create_forgetting, drop_forgetting

revision = "0024"
down_revision = "0023"

_TABLES = (
    """
    CREATE TABLE erasure (
        id uuid PRIMARY KEY,
        person_id uuid NOT NULL UNIQUE,
        person_ids jsonb NOT NULL,
        requested_at timestamptz NOT NULL,
        requested_by varchar NOT NULL,
        salt varchar NOT NULL,
        address_hashes jsonb NOT NULL,
        removed jsonb NOT NULL
    )
    """,
    "CREATE INDEX ix_erasure_requested ON erasure (requested_at, id)",
    """
    CREATE TABLE erasure_receipt (
        erasure_id uuid NOT NULL REFERENCES erasure (id),
        service varchar NOT NULL,
        state varchar NOT NULL CHECK (state IN ('asked', 'done')),
        asks int NOT NULL,
        asked_at timestamptz NOT NULL,
        overdue_at timestamptz NOT NULL,
        done_at timestamptz,
        removed jsonb NOT NULL,
        kept jsonb NOT NULL,
        PRIMARY KEY (erasure_id, service)
    )
    """,
    "CREATE INDEX ix_erasure_receipt_open ON erasure_receipt (erasure_id) WHERE state = 'asked'",
    """
    CREATE TABLE dossier (
        id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        person_ids jsonb NOT NULL,
        asked_at timestamptz NOT NULL,
        asked_by varchar NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_dossier_person ON dossier (person_id, asked_at)",
    "CREATE INDEX ix_dossier_expires ON dossier (expires_at)",
    """
    CREATE TABLE dossier_part (
        dossier_id uuid NOT NULL REFERENCES dossier (id) ON DELETE CASCADE,
        service varchar NOT NULL,
        part int NOT NULL,
        parts int NOT NULL,
        content varchar NOT NULL,
        answered_at timestamptz NOT NULL,
        PRIMARY KEY (dossier_id, service, part)
    )
    """,
)


def upgrade() -> None:
    """Make the tables; who was erased before is asked for again from the record in the data folder."""
    create_forgetting()
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE dossier_part, dossier, erasure_receipt, erasure")
    drop_forgetting()
