"""Several mail servers, limits by the recipient's domain, what the DNS says of our own domain, the mailbox of bounces.

Additive: without a row here mails go to the server of the settings, as before.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

_UP = (
    """
    CREATE TABLE relay (
        id          uuid PRIMARY KEY,
        name        text NOT NULL UNIQUE,
        host        text NOT NULL,
        port        int NOT NULL CHECK (port BETWEEN 1 AND 65535),
        tls         text NOT NULL CHECK (tls IN ('none', 'starttls', 'implicit')),
        user_name   text NOT NULL DEFAULT '',
        sealed      bytea,
        connections int NOT NULL CHECK (connections BETWEEN 1 AND 100),
        domains     text[] NOT NULL,
        priority    int NOT NULL,
        is_active   boolean NOT NULL,
        changed_at  timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE domain_group (
        name                text PRIMARY KEY,
        patterns            text[] NOT NULL,
        is_together         boolean NOT NULL,
        messages_per_minute int CHECK (messages_per_minute > 0),
        connections         int CHECK (connections > 0),
        changed_at          timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE routing (
        is_only  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        revision bigint NOT NULL
    )
    """,
    "INSERT INTO routing (revision) VALUES (1)",
    """
    CREATE TABLE relay_report (
        relay_id    uuid NOT NULL,
        sender      uuid NOT NULL,
        state       text NOT NULL CHECK (state IN ('idle', 'up', 'down')),
        since       timestamptz NOT NULL,
        last_answer text NOT NULL,
        connections int NOT NULL,
        waiting     int NOT NULL,
        told_at     timestamptz NOT NULL,
        PRIMARY KEY (relay_id, sender)
    )
    """,
    """
    CREATE TABLE sender_check (
        domain     text PRIMARY KEY,
        is_good    boolean NOT NULL,
        findings   jsonb NOT NULL,
        checked_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE mailbox_mail (
        mailbox      text NOT NULL,
        uid_validity bigint NOT NULL,
        uid          bigint NOT NULL,
        bytes        bigint NOT NULL,
        taken_at     timestamptz NOT NULL,
        PRIMARY KEY (mailbox, uid_validity, uid)
    )
    """,
    """
    CREATE TABLE mailbox_state (
        mailbox    text PRIMARY KEY,
        looked_at  timestamptz NOT NULL,
        problem    text NOT NULL,
        away_since timestamptz
    )
    """,
    """
    CREATE TABLE slow_domain (
        lane         text PRIMARY KEY,
        since        timestamptz NOT NULL,
        closed_until timestamptz NOT NULL,
        closings     int NOT NULL,
        last_answer  text NOT NULL
    )
    """,
)
_DOWN = (
    "DROP TABLE mailbox_state",
    "DROP TABLE mailbox_mail",
    "DROP TABLE sender_check",
    "DROP TABLE slow_domain",
    "DROP TABLE relay_report",
    "DROP TABLE routing",
    "DROP TABLE domain_group",
    "DROP TABLE relay",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
