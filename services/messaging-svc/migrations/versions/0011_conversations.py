"""Conversations: one inbox over mail, text messages, chat and calls that people ask for; templates of answers.

What came in by text message before and still waits for somebody becomes a conversation each.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

_UP = (
    """
    -- squawk-ignore-file require-concurrent-index-creation
    CREATE TABLE conversation (
        id             uuid PRIMARY KEY,
        person_id      uuid,
        merged_id      uuid,
        name           text NOT NULL DEFAULT '',
        email          text NOT NULL DEFAULT '',
        phone          text NOT NULL DEFAULT '',
        email_hash     bytea,
        phone_hash     bytea,
        channel        text NOT NULL CHECK (channel IN ('email', 'sms', 'chat', 'call')),
        subject        text NOT NULL DEFAULT '',
        topic          text NOT NULL DEFAULT '',
        language       text NOT NULL,
        country        text NOT NULL,
        answers_id     uuid,
        campaign_id    uuid,
        campaign_name  text NOT NULL DEFAULT '',
        state          text NOT NULL CHECK (state IN ('open', 'waiting', 'answered', 'closed')),
        assignee       text NOT NULL DEFAULT '',
        assigned_until timestamptz,
        due_at         timestamptz NOT NULL,
        warn_at        timestamptz NOT NULL,
        breaches       int NOT NULL DEFAULT 0,
        wished_at      timestamptz,
        zone           text NOT NULL DEFAULT '',
        close_reason   text NOT NULL DEFAULT '',
        closed_by      text NOT NULL DEFAULT '',
        closed_at      timestamptz,
        merged_into    uuid,
        last_number    int NOT NULL,
        version        bigint NOT NULL,
        visitor_hash   bytea,
        created_at     timestamptz NOT NULL,
        last_at        timestamptz NOT NULL,
        CHECK ((assignee = '') = (assigned_until IS NULL)),
        CHECK ((state = 'closed') = (closed_at IS NOT NULL))
    )
    """,
    "CREATE INDEX conversation_due ON conversation (due_at, id)",
    "CREATE INDEX conversation_open ON conversation (due_at, id) WHERE state = 'open'",
    "CREATE INDEX conversation_of_person ON conversation (person_id) WHERE person_id IS NOT NULL",
    "CREATE INDEX conversation_merged ON conversation (merged_id) WHERE merged_id IS NOT NULL",
    "CREATE INDEX conversation_of_email ON conversation (email_hash, last_at) WHERE email_hash IS NOT NULL",
    "CREATE INDEX conversation_of_phone ON conversation (phone_hash, last_at) WHERE phone_hash IS NOT NULL",
    "CREATE INDEX conversation_of_visitor ON conversation (visitor_hash, created_at) WHERE visitor_hash IS NOT NULL",
    "CREATE INDEX conversation_last ON conversation (last_at)",
    """
    CREATE TABLE conversation_message (
        id              uuid PRIMARY KEY,
        conversation_id uuid NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        number          int NOT NULL,
        direction       text NOT NULL CHECK (direction IN ('in', 'out', 'note')),
        channel         text NOT NULL,
        author          text NOT NULL DEFAULT '',
        address         text NOT NULL DEFAULT '',
        subject         text NOT NULL DEFAULT '',
        body            text NOT NULL,
        rfc_message_id  text NOT NULL DEFAULT '',
        source          text NOT NULL,
        external_id     text NOT NULL,
        refused         jsonb NOT NULL DEFAULT '[]',
        written_at      timestamptz NOT NULL,
        UNIQUE (conversation_id, number),
        UNIQUE (source, external_id)
    )
    """,
    "CREATE INDEX conversation_message_mail ON conversation_message (rfc_message_id) WHERE rfc_message_id <> ''",
    """
    CREATE TABLE conversation_file (
        id         uuid PRIMARY KEY,
        message_id uuid NOT NULL REFERENCES conversation_message (id) ON DELETE CASCADE,
        name       text NOT NULL,
        kind       text NOT NULL,
        size_bytes int NOT NULL,
        content    bytea NOT NULL
    )
    """,
    """
    INSERT INTO conversation (id, person_id, phone, phone_hash, channel, topic, language, country, state, due_at, warn_at,
        last_number, version, created_at, last_at)
    SELECT id, person_id, from_phone, from_hash, 'sms', keyword, language, 'NO', 'open', received_at + interval '2 days',
        received_at + interval '1 day', 1, 1, received_at, received_at
    FROM inbound_message WHERE is_open
    """,
    """
    INSERT INTO conversation_message (id, conversation_id, number, direction, channel, address, body, source, external_id,
        written_at)
    SELECT id, id, 1, 'in', 'sms', from_phone, body, 'sms', id::text, received_at FROM inbound_message WHERE is_open
    """,
    "CREATE INDEX conversation_file_of_message ON conversation_file (message_id)",
    """
    CREATE TABLE answer_template (
        id         uuid PRIMARY KEY,
        name       text NOT NULL UNIQUE,
        languages  jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
)
_DOWN = tuple(
    f"DROP TABLE {name}"
    for name in ("answer_template", "conversation_file", "conversation_message", "conversation")
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
