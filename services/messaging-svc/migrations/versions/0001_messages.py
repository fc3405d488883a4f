"""The chassis' tables, the copies of people and permissions, templates, the dispatch ledger and its evidence."""

from alembic import op

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE person_card (
        person_id      uuid PRIMARY KEY,
        version        bigint NOT NULL,
        preferred_name text NOT NULL DEFAULT '',
        language       text NOT NULL,
        country        text NOT NULL,
        email          text,
        email_hash     bytea,
        is_erased      boolean NOT NULL DEFAULT false,
        changed_at     timestamptz NOT NULL,
        CHECK (NOT is_erased OR (email IS NULL AND preferred_name = ''))
    ) WITH (fillfactor = 85)
    """,
    "CREATE INDEX person_card_email ON person_card (email_hash) WHERE email_hash IS NOT NULL",
    """
    CREATE TABLE permission_card (
        person_id   uuid NOT NULL,
        channel     text NOT NULL,
        purpose     text NOT NULL,
        state       text NOT NULL CHECK (state IN ('granted', 'pending', 'withdrawn')),
        version     bigint NOT NULL,
        ledger_id   uuid NOT NULL,
        legal_basis text NOT NULL,
        occurred_at timestamptz NOT NULL,
        PRIMARY KEY (person_id, channel, purpose)
    )
    """,
    # A no that was said to us directly. It stands until the permission ledger has a younger yes.
    """
    CREATE TABLE withdrawal (
        person_id    uuid NOT NULL,
        channel      text NOT NULL,
        purpose      text NOT NULL,
        id           uuid NOT NULL UNIQUE,
        source       text NOT NULL,
        message_id   uuid,
        withdrawn_at timestamptz NOT NULL,
        PRIMARY KEY (person_id, channel, purpose)
    )
    """,
    """
    CREATE TABLE suppression (
        address_hash bytea PRIMARY KEY,
        id           uuid NOT NULL UNIQUE,
        reason       text NOT NULL CHECK (reason IN ('objection', 'complaint', 'hard_bounce', 'manual')),
        note         text NOT NULL DEFAULT '',
        added_by     text NOT NULL,
        added_at     timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE template (
        id          uuid PRIMARY KEY,
        name        text NOT NULL,
        version     int NOT NULL CHECK (version > 0),
        created_at  timestamptz NOT NULL,
        changed_at  timestamptz NOT NULL,
        archived_at timestamptz
    )
    """,
    """
    CREATE TABLE template_version (
        id          uuid PRIMARY KEY,
        template_id uuid NOT NULL REFERENCES template,
        number      int NOT NULL,
        source      jsonb NOT NULL,
        compiled    jsonb NOT NULL,
        created_by  text NOT NULL,
        created_at  timestamptz NOT NULL,
        UNIQUE (template_id, number)
    )
    """,
    """
    CREATE FUNCTION template_version_is_immutable() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'a template version never changes; save a new one'
       USING ERRCODE = 'insufficient_privilege'; END $$
    """,
    """
    CREATE TRIGGER template_version_immutable BEFORE UPDATE OR DELETE ON template_version
    FOR EACH STATEMENT EXECUTE FUNCTION template_version_is_immutable()
    """,
    # What all pieces of a launch's cell share, frozen when the first of them comes in.
    """
    CREATE TABLE dispatch_source (
        id                   uuid PRIMARY KEY,
        launch_id            uuid NOT NULL,
        cell_id              uuid NOT NULL,
        campaign_id          uuid NOT NULL,
        campaign_name        text NOT NULL,
        key_code             text NOT NULL,
        cell_name            text NOT NULL,
        segment_id           uuid NOT NULL,
        segment_name         text NOT NULL,
        channel              text NOT NULL,
        purpose              text NOT NULL,
        template_id          uuid NOT NULL,
        template_version_id  uuid REFERENCES template_version,
        offer                jsonb,
        cost_per_piece_minor bigint NOT NULL,
        currency             text NOT NULL,
        created_at           timestamptz NOT NULL,
        UNIQUE (launch_id, cell_id)
    )
    """,
    "CREATE INDEX dispatch_source_campaign ON dispatch_source (campaign_id)",
    """
    CREATE TABLE dispatch (
        id                  uuid PRIMARY KEY,
        origin              text NOT NULL CHECK (origin IN ('campaign', 'confirmation', 'notice', 'test')),
        origin_id           uuid NOT NULL,
        person_id           uuid,
        channel             text NOT NULL,
        is_marketing        boolean NOT NULL,
        purpose             text,
        source_id           uuid REFERENCES dispatch_source,
        piece_id            uuid,
        response_code       text NOT NULL DEFAULT '',
        because             jsonb NOT NULL DEFAULT '[]',
        template_version_id uuid REFERENCES template_version,
        builtin             text NOT NULL DEFAULT '',
        facts               jsonb NOT NULL DEFAULT '{}',
        to_email            text,
        language            text,
        preferred_name      text,
        not_after           timestamptz,
        state               text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'claimed', 'handed_over',
                                'accepted', 'failed', 'suppressed', 'expired', 'in_doubt')),
        rule                text NOT NULL DEFAULT '',
        reason              text NOT NULL DEFAULT '',
        attempts            int NOT NULL DEFAULT 0,
        next_at             timestamptz NOT NULL,
        claimed_by          uuid,
        claimed_until       timestamptz,
        fence               bigint NOT NULL DEFAULT 0,
        permission          jsonb,
        rfc_message_id      text NOT NULL,
        planned_at          timestamptz NOT NULL,
        claimed_at          timestamptz,
        handed_over_at      timestamptz,
        settled_at          timestamptz,
        is_announced        boolean NOT NULL DEFAULT false,
        UNIQUE NULLS NOT DISTINCT (origin, origin_id, person_id, channel),
        CHECK ((origin = 'campaign') = (source_id IS NOT NULL)),
        CHECK ((state IN ('claimed', 'handed_over')) = (claimed_by IS NOT NULL)),
        CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
        CHECK (state NOT IN ('accepted', 'failed', 'suppressed', 'expired', 'in_doubt') OR settled_at IS NOT NULL),
        CHECK (origin IN ('campaign', 'notice') OR to_email IS NOT NULL OR state <> 'claimed')
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)
    """,
    "CREATE INDEX dispatch_due ON dispatch (is_marketing, next_at, id) WHERE state = 'planned'",
    "CREATE INDEX dispatch_leased ON dispatch (claimed_until) WHERE state IN ('claimed', 'handed_over')",
    "CREATE INDEX dispatch_unannounced ON dispatch (settled_at) WHERE settled_at IS NOT NULL AND NOT is_announced",
    "CREATE INDEX dispatch_in_doubt ON dispatch (id) WHERE state = 'in_doubt'",
    "CREATE INDEX dispatch_of_source ON dispatch (source_id, id)",
    "CREATE INDEX dispatch_of_person ON dispatch (person_id, id)",
    """
    CREATE TABLE engagement (
        id         uuid PRIMARY KEY,
        kind       text NOT NULL CHECK (kind IN ('click', 'open')),
        message_id uuid NOT NULL,
        link       int,
        method     text NOT NULL,
        ip_prefix  text NOT NULL,
        user_agent text NOT NULL,
        delay_ms   bigint,
        verdict    text NOT NULL CHECK (verdict IN ('human', 'suspect', 'machine')),
        because    text NOT NULL,
        seen_at    timestamptz NOT NULL
    )
    """,
    "CREATE INDEX engagement_of_message ON engagement (message_id, seen_at)",
)

_NAMES = (
    "person_card", "permission_card", "withdrawal", "suppression", "template", "template_version",
    "dispatch_source", "dispatch", "engagement",
)  # fmt: skip


def upgrade() -> None:
    create_kit_tables()
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(_NAMES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION template_version_is_immutable")
    drop_kit_tables()
