"""The chassis' tables, the facts, and what they add up to."""

from alembic import op

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None

_TABLES = {
    # One row per thing that happened to one thing; `marks` holds what is known of it, mergeable in any order.
    "fact": """
    CREATE TABLE fact (
        kind        text NOT NULL,
        key         uuid NOT NULL,
        campaign_id uuid,
        cell_id     uuid,
        person_id   uuid,
        currency    text NOT NULL DEFAULT '',
        label       text NOT NULL DEFAULT '',
        marks       jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (kind, key)
    )
    """,
    "tally": """
    CREATE TABLE tally (
        campaign_id uuid NOT NULL,
        cell_id     uuid NOT NULL,
        day         date NOT NULL,
        measure     text NOT NULL,
        currency    text NOT NULL,
        value       bigint NOT NULL,
        PRIMARY KEY (campaign_id, cell_id, day, measure, currency)
    )
    """,
    "campaign_card": """
    CREATE TABLE campaign_card (
        campaign_id uuid PRIMARY KEY,
        name        text NOT NULL,
        channel     text NOT NULL,
        currency    text NOT NULL,
        offer_name  text NOT NULL DEFAULT '',
        launched_at timestamptz
    )
    """,
    "cell_card": """
    CREATE TABLE cell_card (
        cell_id     uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        name        text NOT NULL,
        key_code    text NOT NULL,
        cost_per_piece_minor bigint NOT NULL
    )
    """,
}


def upgrade() -> None:
    create_kit_tables()
    for statement in _TABLES.values():
        op.execute(statement)
    op.execute("CREATE INDEX cell_card_campaign ON cell_card (campaign_id)")
    op.execute(
        "CREATE INDEX fact_campaign ON fact (campaign_id, kind) WHERE campaign_id IS NOT NULL"
    )


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")
    drop_kit_tables()
