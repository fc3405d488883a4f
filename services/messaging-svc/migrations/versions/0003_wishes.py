"""What the gate knows besides permissions: who is not to be approached, wishes, suppressions by scope, refusals.

Additive: a card that came before has no phone and asks for nothing until its person changes again.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

_UP = (
    """
    ALTER TABLE person_card
        ADD COLUMN phone_hash bytea,
        ADD COLUMN do_not_contact boolean NOT NULL DEFAULT false,
        ADD COLUMN not_before date
    """,
    """
    CREATE TABLE wish_card (
        person_id    uuid PRIMARY KEY,
        version      bigint NOT NULL,
        topics       jsonb NOT NULL,
        channels     jsonb NOT NULL,
        hour_from    int,
        hour_to      int,
        days         jsonb NOT NULL,
        per_month    int,
        paused_until timestamptz,
        changed_at   timestamptz NOT NULL
    )
    """,
    # What was said to us directly, as in withdrawal; it stands until the person says otherwise on their pages.
    """
    CREATE TABLE refusal (
        person_id    uuid NOT NULL,
        topic        text NOT NULL,
        id           uuid NOT NULL UNIQUE,
        paused_until timestamptz,
        stated_at    timestamptz NOT NULL,
        PRIMARY KEY (person_id, topic),
        CHECK ((topic = '') = (paused_until IS NOT NULL))
    )
    """,
    """
    CREATE TABLE suppression_card (
        suppression_id uuid PRIMARY KEY,
        version        bigint NOT NULL,
        address_hash   bytea,
        scope          text NOT NULL,
        scope_id       text NOT NULL,
        is_lifted      boolean NOT NULL,
        changed_at     timestamptz NOT NULL,
        CHECK (is_lifted OR address_hash IS NOT NULL)
    )
    """,
    "CREATE INDEX suppression_card_address ON suppression_card (address_hash) WHERE NOT is_lifted",
    """
    ALTER TABLE dispatch_source
        ADD COLUMN topic text NOT NULL DEFAULT '',
        ADD COLUMN list_id uuid
    """,
)
_DOWN = (
    "ALTER TABLE dispatch_source DROP COLUMN topic, DROP COLUMN list_id",
    "DROP TABLE suppression_card",
    "DROP TABLE refusal",
    "DROP TABLE wish_card",
    "ALTER TABLE person_card DROP COLUMN phone_hash, DROP COLUMN do_not_contact, DROP COLUMN not_before",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
