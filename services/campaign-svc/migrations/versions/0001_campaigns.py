"""The chassis' tables, the product copy, campaigns and their pieces."""

from alembic import op

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None

_TABLES = {
    "product": """
    CREATE TABLE product (
        product_id  uuid PRIMARY KEY,
        version     bigint NOT NULL,
        sku         text NOT NULL,
        name        text NOT NULL,
        price_minor bigint NOT NULL,
        currency    text NOT NULL,
        vat_pct     int NOT NULL,
        available   bigint NOT NULL,
        is_active   boolean NOT NULL,
        updated_at  timestamptz NOT NULL
    )
    """,
    "campaign": """
    CREATE TABLE campaign (
        id           uuid PRIMARY KEY,
        name         text NOT NULL,
        segment_id   uuid NOT NULL,
        purpose      text NOT NULL,
        channel      text NOT NULL,
        budget_minor bigint CHECK (budget_minor >= 0),
        currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
        not_after    timestamptz,
        expected_response_pct numeric(5, 2) NOT NULL CHECK (expected_response_pct BETWEEN 0 AND 100),
        state        text NOT NULL CHECK (state IN ('draft', 'launching', 'running', 'finished')),
        version      int NOT NULL,
        created_at   timestamptz NOT NULL,
        updated_at   timestamptz NOT NULL
    )
    """,
    "offer": """
    CREATE TABLE offer (
        id                   uuid PRIMARY KEY,
        campaign_id          uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
        product_id           uuid NOT NULL,
        name                 text NOT NULL,
        own_price_minor      bigint CHECK (own_price_minor >= 0),
        launched_price_minor bigint CHECK (launched_price_minor >= 0),
        currency             text NOT NULL
    )
    """,
    "cell": """
    CREATE TABLE cell (
        id          uuid PRIMARY KEY,
        campaign_id uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
        name        text NOT NULL,
        key_code    text NOT NULL UNIQUE,
        share_pct   int NOT NULL CHECK (share_pct BETWEEN 1 AND 100),
        template_id uuid NOT NULL,
        offer_id    uuid REFERENCES offer,
        cost_per_piece_minor bigint NOT NULL CHECK (cost_per_piece_minor >= 0)
    )
    """,
    "preflight": """
    CREATE TABLE preflight (
        id               uuid PRIMARY KEY,
        campaign_id      uuid NOT NULL REFERENCES campaign ON DELETE CASCADE,
        campaign_version int NOT NULL,
        state            text NOT NULL CHECK (state IN ('counting', 'counted')),
        verdict          text CHECK (verdict IN ('green', 'yellow', 'red')),
        report           jsonb NOT NULL DEFAULT '{}',
        requested_at     timestamptz NOT NULL,
        counted_at       timestamptz,
        CHECK ((state = 'counted') = (verdict IS NOT NULL AND counted_at IS NOT NULL))
    )
    """,
    # A campaign is launched once: the database says so too.
    "launch": """
    CREATE TABLE launch (
        id           uuid PRIMARY KEY,
        campaign_id  uuid NOT NULL UNIQUE REFERENCES campaign,
        preflight_id uuid NOT NULL REFERENCES preflight,
        state        text NOT NULL CHECK (state IN ('launching', 'running', 'finished')),
        sign_off     jsonb,
        segment_name text NOT NULL DEFAULT '',
        total        int CHECK (total >= 0),
        arrived      int NOT NULL DEFAULT 0 CHECK (arrived >= 0),
        settled      int NOT NULL DEFAULT 0 CHECK (settled BETWEEN 0 AND arrived),
        problem      text NOT NULL DEFAULT '',
        launched_at  timestamptz NOT NULL,
        launched_by  text NOT NULL
    )
    """,
    "piece": """
    CREATE TABLE piece (
        id            uuid PRIMARY KEY,
        launch_id     uuid NOT NULL REFERENCES launch,
        campaign_id   uuid NOT NULL,
        cell_id       uuid NOT NULL REFERENCES cell,
        person_id     uuid NOT NULL,
        response_code text NOT NULL UNIQUE CHECK (response_code ~ '^[0-9A-HJKMNP-TV-Z]{10}$'),
        because       jsonb NOT NULL,
        state         text NOT NULL
            CHECK (state IN ('released', 'in_doubt', 'expired', 'suppressed', 'accepted', 'failed')),
        reason        text NOT NULL DEFAULT '',
        released_at   timestamptz NOT NULL,
        settled_at    timestamptz,
        responded_at  timestamptz,
        ordered_at    timestamptz,
        paid_at       timestamptz,
        UNIQUE (launch_id, person_id),
        CHECK ((state = 'released') = (settled_at IS NULL))
    )
    """,
    "outcome": """
    CREATE TABLE outcome (
        piece_id  uuid NOT NULL REFERENCES piece,
        kind      text NOT NULL,
        source_id uuid NOT NULL,
        at        timestamptz NOT NULL,
        PRIMARY KEY (piece_id, kind, source_id)
    )
    """,
}
_INDEXES = (
    "CREATE INDEX offer_campaign ON offer (campaign_id)",
    "CREATE INDEX cell_campaign ON cell (campaign_id)",
    "CREATE INDEX preflight_campaign ON preflight (campaign_id, id)",
    "CREATE INDEX piece_campaign ON piece (campaign_id, id)",
    "CREATE INDEX piece_campaign_state ON piece (campaign_id, state, id)",
    "CREATE INDEX piece_person ON piece (person_id, campaign_id)",
)


def upgrade() -> None:
    create_kit_tables()
    for statement in (*_TABLES.values(), *_INDEXES):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")
    drop_kit_tables()
