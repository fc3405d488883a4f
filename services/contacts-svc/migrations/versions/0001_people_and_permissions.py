"""People, their addresses and history, and the permission ledger."""

from alembic import op

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE person (
        id uuid PRIMARY KEY,
        version int NOT NULL CHECK (version > 0),
        preferred_name varchar NOT NULL,
        given_name varchar NOT NULL,
        family_name varchar NOT NULL,
        full_name varchar NOT NULL,
        language varchar NOT NULL,
        country varchar NOT NULL,
        time_zone varchar NOT NULL,
        lifecycle varchar NOT NULL,
        source varchar NOT NULL,
        note varchar NOT NULL,
        street varchar NOT NULL,
        postal_code varchar NOT NULL,
        city varchar NOT NULL,
        address_country varchar NOT NULL,
        is_erased boolean NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CHECK (is_erased OR preferred_name || given_name || family_name || full_name <> ''),
        CHECK (NOT is_erased OR preferred_name || given_name || family_name || full_name || street || city || note = '')
    )
    """,
    """
    CREATE TABLE identifier (
        kind varchar NOT NULL CHECK (kind IN ('email', 'phone')),
        value varchar NOT NULL,
        person_id uuid NOT NULL REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
        as_given varchar NOT NULL,
        is_primary boolean NOT NULL,
        validity varchar NOT NULL CHECK (validity IN ('valid', 'invalid')),
        reachability varchar NOT NULL CHECK (reachability IN ('unknown', 'reachable', 'undeliverable')),
        created_at timestamptz NOT NULL,
        PRIMARY KEY (kind, value)
    )
    """,
    "CREATE INDEX ix_identifier_person_id ON identifier (person_id)",
    "CREATE UNIQUE INDEX ix_identifier_primary ON identifier (person_id, kind) WHERE is_primary",
    """
    CREATE TABLE person_change (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        person_id uuid NOT NULL,
        version int NOT NULL,
        at timestamptz NOT NULL,
        actor varchar NOT NULL,
        import_id uuid,
        import_row int,
        changes jsonb NOT NULL
    )
    """,
    "CREATE INDEX ix_person_change_person_id ON person_change (person_id)",
    "CREATE TABLE suppressed_address (hash bytea PRIMARY KEY, kind varchar NOT NULL, erased_at timestamptz NOT NULL)",
    """
    CREATE TABLE permission_ledger (
        id uuid PRIMARY KEY,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        person_id uuid NOT NULL,
        channel varchar NOT NULL,
        purpose varchar NOT NULL,
        state varchar NOT NULL CHECK (state IN ('granted', 'pending', 'withdrawn')),
        version int NOT NULL,
        text_shown varchar NOT NULL,
        text_version varchar NOT NULL,
        source varchar NOT NULL CHECK (source <> ''),
        legal_basis varchar NOT NULL,
        evidence jsonb NOT NULL,
        actor varchar NOT NULL,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        UNIQUE (person_id, channel, purpose, version)
    )
    """,
    "CREATE INDEX ix_permission_ledger_person ON permission_ledger (person_id, seq)",
    # Append-only for everybody, the owner included, short of dropping the trigger.
    """
    CREATE FUNCTION permission_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the permission ledger is append-only' USING ERRCODE = 'insufficient_privilege'; END $$
    """,
    """
    CREATE TRIGGER permission_ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON permission_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION permission_ledger_is_append_only()
    """,
    """
    CREATE TABLE permission_state (
        person_id uuid NOT NULL,
        channel varchar NOT NULL,
        purpose varchar NOT NULL,
        state varchar NOT NULL CHECK (state IN ('granted', 'pending', 'withdrawn')),
        version int NOT NULL,
        ledger_id uuid NOT NULL,
        legal_basis varchar NOT NULL,
        source varchar NOT NULL,
        occurred_at timestamptz NOT NULL,
        PRIMARY KEY (person_id, channel, purpose)
    )
    """,
    "CREATE INDEX ix_permission_state_wanted ON permission_state (channel, purpose, state, person_id)",
    "CREATE TABLE withdrawal_seen (withdrawal_id uuid PRIMARY KEY)",
)


def upgrade() -> None:
    create_kit_tables()
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "withdrawal_seen",
        "permission_state",
        "permission_ledger",
        "suppressed_address",
        "person_change",
        "identifier",
        "person",
    ):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION permission_ledger_is_append_only")
    drop_kit_tables()
