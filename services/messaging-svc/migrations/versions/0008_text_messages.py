"""Text messages: numbers, short links, delivery reports; what comes in; bounces and what they say of an address.

Additive: a card that came before has no number until its person changes again.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

_UP = (
    """
    -- Constraints are widened: each row that stands fits the new one, and the version that runs writes nothing that the
    -- old one would have refused. The index is built on a table that changes rarely.
    -- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid, require-concurrent-index-creation
    ALTER TABLE person_card
        ADD COLUMN phone text,
        ADD COLUMN email_since timestamptz,
        ADD COLUMN phone_since timestamptz
    """,
    "CREATE INDEX person_card_phone ON person_card (phone_hash) WHERE phone_hash IS NOT NULL",
    "ALTER TABLE dispatch ADD COLUMN to_phone text",
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_origin_check",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_origin_check
        CHECK (origin IN ('campaign', 'confirmation', 'notice', 'test', 'reply'))
    """,
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_check4",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_address_check CHECK (origin IN ('campaign', 'notice')
        OR to_email IS NOT NULL OR to_phone IS NOT NULL OR state <> 'claimed')
    """,
    "ALTER TABLE suppression DROP CONSTRAINT suppression_reason_check",
    """
    ALTER TABLE suppression ADD CONSTRAINT suppression_reason_check CHECK (
        reason IN ('objection', 'complaint', 'hard_bounce', 'soft_bounces', 'manual'))
    """,
    """
    CREATE TABLE short_link (
        token      text PRIMARY KEY,
        message_id uuid NOT NULL,
        slot       int NOT NULL,
        kind       text NOT NULL CHECK (kind IN ('fixed', 'response', 'unsubscribe', 'preferences')),
        target     text NOT NULL DEFAULT '',
        made_at    timestamptz NOT NULL,
        UNIQUE (message_id, slot)
    )
    """,
    """
    CREATE TABLE sms_report (
        message_id  uuid PRIMARY KEY,
        person_id   uuid,
        state       text NOT NULL CHECK (state IN ('sent', 'failed', 'delivered')),
        code        text NOT NULL DEFAULT '',
        reason      text NOT NULL DEFAULT '',
        occurred_at timestamptz NOT NULL,
        reported_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE inbound_message (
        id          uuid PRIMARY KEY,
        channel     text NOT NULL,
        provider    text NOT NULL,
        provider_id text NOT NULL,
        from_phone  text NOT NULL,
        from_hash   bytea NOT NULL,
        to_number   text NOT NULL,
        body        text NOT NULL,
        person_id   uuid,
        kind        text NOT NULL CHECK (
                        kind IN ('stop', 'start', 'help', 'vote', 'order', 'inquiry', 'other')),
        language    text NOT NULL,
        keyword     text NOT NULL DEFAULT '',
        option      text NOT NULL DEFAULT '',
        is_open     boolean NOT NULL,
        note        text NOT NULL DEFAULT '',
        closed_by   text NOT NULL DEFAULT '',
        closed_at   timestamptz,
        received_at timestamptz NOT NULL,
        UNIQUE (provider, provider_id)
    )
    """,
    "CREATE INDEX inbound_open ON inbound_message (id) WHERE is_open",
    "CREATE INDEX inbound_of_sender ON inbound_message (from_hash, received_at)",
    "CREATE INDEX inbound_of_person ON inbound_message (person_id) WHERE person_id IS NOT NULL",
    """
    CREATE TABLE keyword (
        word       text PRIMARY KEY,
        id         uuid NOT NULL UNIQUE,
        action     text NOT NULL CHECK (action IN ('help', 'vote', 'order', 'inquiry')),
        poll       text NOT NULL DEFAULT '',
        option     text NOT NULL DEFAULT '',
        answer     jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        CHECK ((action = 'vote') = (poll <> ''))
    )
    """,
    """
    CREATE TABLE vote (
        poll       text NOT NULL,
        voter      text NOT NULL,
        person_id  uuid,
        option     text NOT NULL,
        inbound_id uuid NOT NULL,
        voted_at   timestamptz NOT NULL,
        PRIMARY KEY (poll, voter)
    )
    """,
    "CREATE INDEX vote_of_person ON vote (person_id) WHERE person_id IS NOT NULL",
    """
    CREATE TABLE bounce (
        id           uuid PRIMARY KEY,
        source       text NOT NULL CHECK (source IN ('dsn', 'complaint', 'webhook', 'report')),
        external_id  text NOT NULL,
        message_id   uuid,
        person_id    uuid,
        channel      text NOT NULL,
        address_hash bytea,
        category     text NOT NULL CHECK (category IN ('bad_address', 'full', 'policy', 'content', 'transient',
                         'auto_reply', 'complaint', 'delivered', 'unknown')),
        rule         text NOT NULL,
        status       text NOT NULL DEFAULT '',
        diagnostic   text NOT NULL DEFAULT '',
        evidence     text NOT NULL DEFAULT '',
        occurred_at  timestamptz NOT NULL,
        recorded_at  timestamptz NOT NULL,
        undone_at    timestamptz,
        undone_by    text NOT NULL DEFAULT '',
        undone_why   text NOT NULL DEFAULT '',
        UNIQUE (source, external_id)
    )
    """,
    "CREATE INDEX bounce_of_address ON bounce (address_hash, occurred_at) WHERE address_hash IS NOT NULL",
    "CREATE INDEX bounce_of_person ON bounce (person_id) WHERE person_id IS NOT NULL",
    "CREATE INDEX bounce_by_reputation ON bounce (recorded_at) WHERE category = 'policy'",
)
_DOWN = (
    "DROP TABLE bounce",
    "DROP TABLE vote",
    "DROP TABLE keyword",
    "DROP TABLE inbound_message",
    "DROP TABLE sms_report",
    "DROP TABLE short_link",
    "DELETE FROM suppression WHERE reason = 'soft_bounces'",
    "ALTER TABLE suppression DROP CONSTRAINT suppression_reason_check",
    """
    ALTER TABLE suppression ADD CONSTRAINT suppression_reason_check CHECK (
        reason IN ('objection', 'complaint', 'hard_bounce', 'manual'))
    """,
    "DELETE FROM dispatch WHERE origin = 'reply'",
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_address_check",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_check4 CHECK (
        origin IN ('campaign', 'notice') OR to_email IS NOT NULL OR state <> 'claimed')
    """,
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_origin_check",
    """
    ALTER TABLE dispatch ADD CONSTRAINT dispatch_origin_check
        CHECK (origin IN ('campaign', 'confirmation', 'notice', 'test'))
    """,
    "ALTER TABLE dispatch DROP COLUMN to_phone",
    "DROP INDEX person_card_phone",
    "ALTER TABLE person_card DROP COLUMN phone, DROP COLUMN email_since, DROP COLUMN phone_since",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
