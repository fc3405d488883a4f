"""The response desk: batches and who keyed what, files of responses by declared mappings, the watch over deadlines."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    """
    -- A release waits for the indexes and the wider rule while nobody answers; the rule refuses nothing that stood.
    -- squawk-ignore-file require-concurrent-index-creation, ban-drop-constraint, constraint-missing-not-valid
    ALTER TABLE response
        ADD COLUMN answers    jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN keyed_by   varchar NOT NULL DEFAULT '',
        ADD COLUMN entry_id   uuid,
        ADD COLUMN file_id    uuid,
        ADD COLUMN file_row   integer,
        ADD COLUMN source_key varchar,
        ADD COLUMN warned_at  timestamptz,
        ADD COLUMN alarmed_at timestamptz
    """,
    "ALTER TABLE response DROP CONSTRAINT response_kind",
    """
    ALTER TABLE response ADD CONSTRAINT response_kind
        CHECK (kind IN ('order', 'inquiry', 'complaint', 'refusal', 'return')) NOT VALID
    """,
    "ALTER TABLE response VALIDATE CONSTRAINT response_kind",
    "CREATE UNIQUE INDEX response_source ON response (source_key)",
    "CREATE INDEX response_entry ON response (entry_id) WHERE entry_id IS NOT NULL",
    "CREATE INDEX response_of_file ON response (file_id, file_row) WHERE file_id IS NOT NULL",
    "CREATE INDEX response_to_warn ON response (due_at) WHERE state <> 'answered' AND warned_at IS NULL",
    "CREATE INDEX response_to_alarm ON response (due_at) WHERE state <> 'answered' AND alarmed_at IS NULL",
    "ALTER TABLE person ADD COLUMN phone varchar NOT NULL DEFAULT ''",
    "CREATE INDEX person_phone ON person (phone) WHERE phone <> ''",
    """
    CREATE TABLE desk_batch (
        batch_id   uuid PRIMARY KEY,
        name       varchar NOT NULL,
        way        varchar NOT NULL,
        counted    integer NOT NULL,
        opened_by  varchar NOT NULL,
        opened_at  timestamptz NOT NULL,
        closed_by  varchar NOT NULL,
        closed_at  timestamptz,
        difference integer NOT NULL,
        note       varchar NOT NULL,
        CONSTRAINT desk_batch_counted CHECK (counted > 0)
    )
    """,
    "CREATE INDEX desk_batch_open ON desk_batch (batch_id) WHERE closed_at IS NULL",
    """
    CREATE TABLE desk_entry (
        entry_id      uuid PRIMARY KEY,
        batch_id      uuid NOT NULL REFERENCES desk_batch (batch_id),
        outcome       varchar NOT NULL,
        response_code varchar,
        reason        varchar NOT NULL,
        note          varchar NOT NULL,
        keyed_by      varchar NOT NULL,
        keyed_at      timestamptz NOT NULL,
        CONSTRAINT desk_entry_outcome CHECK (outcome IN ('registered', 'rejected')),
        CONSTRAINT desk_entry_reason CHECK ((outcome = 'rejected') = (reason <> ''))
    )
    """,
    "CREATE INDEX desk_entry_batch ON desk_entry (batch_id, entry_id)",
    """
    CREATE TABLE response_mapping (
        name       varchar PRIMARY KEY,
        version    integer NOT NULL,
        reading    jsonb NOT NULL,
        changed_by varchar NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE response_file (
        file_id      uuid PRIMARY KEY,
        name         varchar NOT NULL,
        mapping      varchar NOT NULL,
        reading      jsonb NOT NULL,
        header       jsonb NOT NULL,
        file_sha256  varchar NOT NULL,
        file_bytes   bigint NOT NULL,
        offset_bytes bigint NOT NULL,
        row_number   integer NOT NULL,
        state        varchar NOT NULL,
        problem      varchar NOT NULL,
        registered   integer NOT NULL,
        repeated     integer NOT NULL,
        in_review    integer NOT NULL,
        rejected     integer NOT NULL,
        empty        integer NOT NULL,
        sent_by      varchar NOT NULL,
        started_at   timestamptz NOT NULL,
        finished_at  timestamptz,
        CONSTRAINT response_file_state CHECK (state IN ('running', 'done', 'failed')),
        CONSTRAINT response_file_finished CHECK ((state = 'running') = (finished_at IS NULL))
    )
    """,
    "CREATE INDEX response_file_sha ON response_file (file_sha256)",
    """
    CREATE TABLE response_reject (
        file_id    uuid REFERENCES response_file (file_id),
        row_number integer,
        reason     varchar NOT NULL,
        line       varchar NOT NULL,
        PRIMARY KEY (file_id, row_number)
    )
    """,
    """
    CREATE TABLE response_review (
        review_id   uuid PRIMARY KEY,
        file_id     uuid NOT NULL REFERENCES response_file (file_id),
        row_number  integer NOT NULL,
        state       varchar NOT NULL,
        reason      varchar NOT NULL,
        read        jsonb NOT NULL,
        doubts      jsonb NOT NULL,
        response_id uuid,
        note        varchar NOT NULL,
        due_at      timestamptz NOT NULL,
        decided_by  varchar NOT NULL,
        decided_at  timestamptz,
        CONSTRAINT response_review_state CHECK (state IN ('waiting', 'taken', 'dropped')),
        CONSTRAINT response_review_decided CHECK ((state = 'waiting') = (decided_at IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX response_review_once ON response_review (file_id, row_number)",
    "CREATE INDEX response_review_waiting ON response_review (due_at, review_id) WHERE state = 'waiting'",
)


def upgrade() -> None:
    """Widen the responses and make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables and narrow the responses; returns, which nobody knew before, go."""
    op.execute("DROP TABLE response_review, response_reject, response_file, response_mapping")
    op.execute("DROP TABLE desk_entry, desk_batch")
    op.execute("DROP INDEX person_phone")
    op.execute("ALTER TABLE person DROP COLUMN phone")
    op.execute(
        "DROP INDEX response_source, response_entry, response_of_file, response_to_warn, response_to_alarm"
    )
    op.execute("DELETE FROM response WHERE kind = 'return'")
    op.execute("ALTER TABLE response DROP CONSTRAINT response_kind")
    op.execute(
        "ALTER TABLE response ADD CONSTRAINT response_kind"
        " CHECK (kind IN ('order', 'inquiry', 'complaint', 'refusal'))"
    )
    op.execute(
        "ALTER TABLE response DROP COLUMN answers, DROP COLUMN keyed_by, DROP COLUMN entry_id,"
        " DROP COLUMN file_id, DROP COLUMN file_row, DROP COLUMN source_key,"
        " DROP COLUMN warned_at, DROP COLUMN alarmed_at"
    )
