"""The chassis' own tables, the same in every service's database.

Made by each service's first migration (`create_kit_tables`); a later version of the kit adds a function of its own
that the services call from a new migration.
"""

OUTBOX_CHANNEL = "kantis_outbox"

_TABLES = (
    # What leaves the service. Deleted once the broker has confirmed it: personal data does not rest in transport.
    """
    CREATE TABLE outbox (
        seq            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id             uuid NOT NULL,
        type           text NOT NULL,
        subject        text,
        occurred_at    timestamptz NOT NULL,
        recorded_at    timestamptz NOT NULL,
        correlation_id uuid NOT NULL,
        causation_id   uuid,
        traceparent    text,
        data           bytea NOT NULL,
        claimed_by     uuid,
        claimed_until  timestamptz,
        attempts       int NOT NULL DEFAULT 0,
        problem        text,
        CHECK ((claimed_by IS NULL) OR (claimed_until IS NOT NULL))
    ) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000)
    """,
    # What came in already. Partitioned by the event id, whose first 48 bits are the time it was made: the same
    # event always falls into the same partition, whenever it is delivered.
    """
    CREATE TABLE inbox (
        queue    text NOT NULL,
        event_id uuid NOT NULL,
        PRIMARY KEY (queue, event_id)
    ) PARTITION BY RANGE (event_id)
    """,
    "CREATE TABLE inbox_rest PARTITION OF inbox DEFAULT",
    # What could not be handled yet (waiting), is being tried after its consumer died (trying), or waits for a person
    # (parked).
    """
    CREATE TABLE delivery (
        queue          text NOT NULL,
        event_id       uuid NOT NULL,
        state          text NOT NULL CHECK (state IN ('trying', 'waiting', 'parked')),
        type           text NOT NULL,
        envelope       bytea NOT NULL,
        handler        text NOT NULL DEFAULT '',
        attempts       int NOT NULL DEFAULT 0,
        next_at        timestamptz,
        reason         text NOT NULL DEFAULT '',
        problem        text NOT NULL DEFAULT '',
        first_at       timestamptz NOT NULL,
        last_at        timestamptz NOT NULL,
        PRIMARY KEY (queue, event_id)
    )
    """,
    "CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'waiting'",
    "CREATE INDEX delivery_parked ON delivery (last_at, event_id) WHERE state = 'parked'",
    """
    CREATE TABLE timer (
        id       uuid PRIMARY KEY,
        kind     text NOT NULL,
        key      text NOT NULL,
        due_at   timestamptz NOT NULL,
        payload  jsonb NOT NULL DEFAULT '{}',
        attempts int NOT NULL DEFAULT 0,
        state    text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'parked')),
        problem  text NOT NULL DEFAULT '',
        UNIQUE (kind, key)
    )
    """,
    "CREATE INDEX timer_due ON timer (due_at) WHERE state = 'waiting'",
    """
    CREATE TABLE job (
        name    text PRIMARY KEY,
        next_at timestamptz NOT NULL,
        last_at timestamptz,
        problem text NOT NULL DEFAULT ''
    )
    """,
    # Long transactions: each step one conditional UPDATE, its deadline a timer.
    """
    CREATE TABLE saga (
        id          uuid PRIMARY KEY,
        kind        text NOT NULL,
        key         text NOT NULL,
        state       text NOT NULL CHECK (state IN ('running', 'compensating', 'completed', 'compensated', 'stuck')),
        step        text NOT NULL,
        attempts    int NOT NULL DEFAULT 0,
        deadline_at timestamptz NOT NULL,
        data        jsonb NOT NULL DEFAULT '{}',
        problem     text NOT NULL DEFAULT '',
        started_at  timestamptz NOT NULL,
        changed_at  timestamptz NOT NULL,
        UNIQUE (kind, key)
    )
    """,
    "CREATE INDEX saga_stuck ON saga (changed_at, id) WHERE state = 'stuck'",
    "CREATE INDEX saga_open ON saga (kind, state) WHERE state IN ('running', 'compensating', 'stuck')",
    # The answer to a request, stored with its effect.
    """
    CREATE TABLE idempotency (
        caller       text NOT NULL,
        route        text NOT NULL,
        key          text NOT NULL,
        request_hash bytea NOT NULL,
        status       int,
        headers      jsonb,
        body         bytea,
        stored_at    timestamptz NOT NULL,
        PRIMARY KEY (caller, route, key)
    )
    """,
    "CREATE INDEX idempotency_age ON idempotency (stored_at)",
    # Privileged changes, each row's hash over the one before.
    """
    CREATE TABLE audit (
        seq        bigint PRIMARY KEY,
        at         timestamptz NOT NULL,
        actor      text NOT NULL,
        action     text NOT NULL,
        subject    text NOT NULL,
        detail     jsonb NOT NULL DEFAULT '{}',
        correlation_id uuid,
        previous   bytea NOT NULL,
        hash       bytea NOT NULL
    )
    """,
    "CREATE INDEX audit_subject ON audit (subject, seq)",
    # Append-only for everybody, the owner included, short of dropping the trigger.
    """
    CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege'; END $$
    """,
    """
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
    """,
)

KIT_TABLES = ("outbox", "inbox", "delivery", "timer", "job", "saga", "idempotency", "audit")

_FORGETTING = (
    # Whose data was deleted, by ids that name nobody: what comes late must not bring them back. Never emptied.
    """
    CREATE TABLE forgotten (
        id     uuid PRIMARY KEY,
        cause  uuid NOT NULL,
        at     timestamptz NOT NULL
    )
    """,
    "CREATE INDEX forgotten_cause ON forgotten (cause)",
    # How long which kind of data is kept, where that is not the default.
    """
    CREATE TABLE keep_period (
        kind    text PRIMARY KEY,
        days    int NOT NULL CHECK (days > 0),
        version bigint NOT NULL
    )
    """,
)
LATER_TABLES = ("forgotten", "keep_period")
"""Tables of the chassis that came after the first migrations."""


def create_forgetting() -> None:
    """Make the tables of `kantis_kit.forgetting`; call it from a migration of the service."""
    for statement in _FORGETTING:
        _execute(statement)


def drop_forgetting() -> None:
    """Undo `create_forgetting`."""
    _execute("DROP TABLE keep_period, forgotten")


def create_kit_tables() -> None:
    """Make the chassis' tables; call it from a service's first migration."""
    for statement in _TABLES:
        _execute(statement)


def drop_kit_tables() -> None:
    """Undo `create_kit_tables`."""
    for table in reversed(KIT_TABLES):
        _execute(f"DROP TABLE {table}")
    _execute("DROP FUNCTION audit_is_append_only")


def _execute(statement: str) -> None:
    from alembic import op  # noqa: PLC0415 - who serves makes no tables, and starts sooner without it

    op.execute(statement)
