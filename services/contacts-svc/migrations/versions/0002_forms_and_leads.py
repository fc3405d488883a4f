"""Forms, leads and confirmations."""

from alembic import op

revision = "0002"
down_revision = "0001"

_TABLES = (
    """
    CREATE TABLE form (
        id uuid PRIMARY KEY,
        key varchar NOT NULL UNIQUE,
        version int NOT NULL,
        is_active boolean NOT NULL,
        source varchar NOT NULL CHECK (source <> ''),
        purposes jsonb NOT NULL,
        channels jsonb NOT NULL,
        default_language varchar NOT NULL,
        country varchar NOT NULL,
        titles jsonb NOT NULL,
        consent jsonb NOT NULL,
        double_opt_in boolean NOT NULL,
        redirects jsonb NOT NULL,
        origins jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE consent_text (
        form_id uuid NOT NULL,
        language varchar NOT NULL,
        version varchar NOT NULL,
        words varchar NOT NULL,
        PRIMARY KEY (form_id, language, version)
    )
    """,
    """
    CREATE TABLE form_trap (
        form_id uuid NOT NULL,
        on_day date NOT NULL,
        caught int NOT NULL,
        PRIMARY KEY (form_id, on_day)
    )
    """,
    """
    CREATE TABLE lead (
        id uuid PRIMARY KEY,
        form_id uuid NOT NULL,
        form_key varchar NOT NULL,
        person_id uuid NOT NULL,
        is_consented boolean NOT NULL,
        language varchar NOT NULL,
        fields jsonb NOT NULL,
        text_version varchar NOT NULL,
        evidence jsonb NOT NULL,
        times int NOT NULL,
        first_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        UNIQUE (form_id, person_id)
    )
    """,
    "CREATE INDEX ix_lead_person_id ON lead (person_id)",
    """
    CREATE TABLE confirmation (
        id uuid PRIMARY KEY,
        lead_id uuid NOT NULL,
        form_id uuid NOT NULL,
        person_id uuid NOT NULL,
        email varchar NOT NULL,
        language varchar NOT NULL,
        purposes jsonb NOT NULL,
        text_shown varchar NOT NULL,
        text_version varchar NOT NULL,
        requested_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        confirmed_at timestamptz
    )
    """,
    "CREATE INDEX ix_confirmation_lead_id ON confirmation (lead_id)",
    "CREATE INDEX ix_confirmation_person_id ON confirmation (person_id)",
    "CREATE TABLE confirmation_slot (address varchar PRIMARY KEY, last_at timestamptz NOT NULL)",
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in ("confirmation_slot", "confirmation", "lead", "form_trap", "consent_text", "form"):
        op.execute(f"DROP TABLE {table}")
