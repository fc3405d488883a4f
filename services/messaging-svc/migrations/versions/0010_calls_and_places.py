"""Calls: what is known before one, callers' leases, lists that leave as files; places on web sites and what they show.

Additive: nothing that stands is changed.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

_UP = (
    # The indexes of the ledger are built in this transaction: a release waits for them while nothing is sent.
    """
    -- squawk-ignore-file require-concurrent-index-creation
    CREATE TABLE link_card (
        link_id           uuid PRIMARY KEY,
        version           bigint NOT NULL,
        person_id         uuid NOT NULL,
        organisation_id   uuid NOT NULL,
        organisation_name text NOT NULL,
        role              text NOT NULL,
        relevance         int NOT NULL,
        is_main           boolean NOT NULL,
        do_not_contact    boolean NOT NULL,
        not_before        date,
        valid_from        date,
        valid_to          date,
        is_removed        boolean NOT NULL
    )
    """,
    "CREATE INDEX link_card_person ON link_card (person_id) WHERE NOT is_removed",
    """
    CREATE TABLE insight_card (
        insight_id    uuid PRIMARY KEY,
        person_id     uuid NOT NULL,
        term          text NOT NULL,
        kind          text NOT NULL,
        words         jsonb NOT NULL,
        strength      int NOT NULL,
        source        text NOT NULL,
        said_at       timestamptz NOT NULL,
        until         timestamptz,
        is_taken_back boolean NOT NULL
    )
    """,
    "CREATE INDEX insight_card_person ON insight_card (person_id, said_at) WHERE NOT is_taken_back",
    """
    CREATE TABLE call_outcome (
        code         text PRIMARY KEY,
        effect       text NOT NULL CHECK (
                         effect IN ('answered', 'call_back', 'again', 'stop', 'wrong_number', 'gone')),
        words        jsonb NOT NULL,
        wait_minutes int NOT NULL CHECK (wait_minutes >= 0),
        changed_at   timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE call_batch (
        id          uuid PRIMARY KEY,
        campaign_id uuid,
        call_centre text NOT NULL,
        calls       int NOT NULL,
        created_by  text NOT NULL,
        created_at  timestamptz NOT NULL,
        due_back_at timestamptz NOT NULL,
        recalled_at timestamptz
    )
    """,
    # One row for each time that somebody takes a call; the ledger's fence says whether it still counts.
    """
    CREATE TABLE call (
        id           uuid PRIMARY KEY,
        message_id   uuid NOT NULL REFERENCES dispatch,
        fence        bigint NOT NULL,
        person_id    uuid,
        batch_id     uuid REFERENCES call_batch,
        position     int NOT NULL DEFAULT 0,
        caller       text NOT NULL,
        phone        text NOT NULL,
        attempt      int NOT NULL,
        taken_at     timestamptz NOT NULL,
        held_until   timestamptz NOT NULL,
        state        text NOT NULL CHECK (state IN ('open', 'ended', 'released', 'lapsed')),
        outcome      text NOT NULL DEFAULT '',
        effect       text NOT NULL DEFAULT '',
        note         text NOT NULL DEFAULT '',
        follow_up    text NOT NULL DEFAULT '',
        learned      jsonb NOT NULL DEFAULT '[]',
        call_back_at timestamptz,
        ended_at     timestamptz,
        UNIQUE (message_id, fence),
        CHECK ((state = 'open') = (ended_at IS NULL))
    )
    """,
    "CREATE INDEX call_of_person ON call (person_id, taken_at)",
    "CREATE INDEX call_of_batch ON call (batch_id, position) WHERE batch_id IS NOT NULL",
    """
    CREATE TABLE call_file (
        id         uuid PRIMARY KEY,
        batch_id   uuid NOT NULL REFERENCES call_batch,
        sha256     bytea NOT NULL,
        rows       int NOT NULL,
        taken      int NOT NULL,
        already    int NOT NULL,
        rejected   jsonb NOT NULL,
        sent_by    text NOT NULL,
        sent_at    timestamptz NOT NULL,
        UNIQUE (batch_id, sha256)
    )
    """,
    """
    CREATE TABLE web_place (
        key              text PRIMARY KEY,
        name             text NOT NULL,
        default_language text NOT NULL,
        created_at       timestamptz NOT NULL,
        changed_at       timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE web_content (
        id          uuid PRIMARY KEY,
        place_key   text NOT NULL REFERENCES web_place,
        name        text NOT NULL,
        number      int NOT NULL CHECK (number > 0),
        audience    text NOT NULL CHECK (audience IN ('everybody', 'segment', 'campaign')),
        audience_id uuid,
        priority    int NOT NULL,
        valid_from  timestamptz,
        valid_to    timestamptz,
        is_off      boolean NOT NULL DEFAULT false,
        created_at  timestamptz NOT NULL,
        changed_at  timestamptz NOT NULL,
        CHECK ((audience = 'everybody') = (audience_id IS NULL)),
        CHECK (valid_to > valid_from)
    )
    """,
    "CREATE INDEX web_content_place ON web_content (place_key) WHERE NOT is_off",
    "CREATE INDEX web_content_audience ON web_content (audience_id) WHERE audience_id IS NOT NULL",
    # The texts of a version never change; what was shown can be looked up.
    """
    CREATE TABLE web_text (
        content_id uuid NOT NULL REFERENCES web_content,
        number     int NOT NULL,
        language   text NOT NULL,
        source     text NOT NULL,
        html       text NOT NULL,
        saved_by   text NOT NULL,
        saved_at   timestamptz NOT NULL,
        PRIMARY KEY (content_id, number, language)
    )
    """,
    # Of segments that a place uses: who is in them, and who was.
    """
    CREATE TABLE web_member (
        segment_id uuid NOT NULL,
        person_id  uuid NOT NULL,
        revision   bigint NOT NULL,
        is_member  boolean NOT NULL,
        PRIMARY KEY (segment_id, person_id)
    )
    """,
    "CREATE INDEX web_member_person ON web_member (person_id)",
    """
    CREATE TABLE web_dismissal (
        content_id   uuid NOT NULL REFERENCES web_content,
        person_id    uuid NOT NULL,
        dismissed_at timestamptz NOT NULL,
        PRIMARY KEY (content_id, person_id)
    )
    """,
    "CREATE INDEX web_dismissal_person ON web_dismissal (person_id)",
    """
    CREATE TABLE web_count (
        content_id uuid NOT NULL REFERENCES web_content,
        number     int NOT NULL,
        day        date NOT NULL,
        kind       text NOT NULL CHECK (kind IN ('shown', 'clicked', 'dismissed')),
        times      bigint NOT NULL,
        PRIMARY KEY (content_id, number, day, kind)
    )
    """,
    """
    CREATE INDEX dispatch_pages_undecided ON dispatch (next_at, id)
        WHERE state = 'planned' AND channel = 'web' AND rule <> 'ready'
    """,
    """
    CREATE INDEX dispatch_calls_undecided ON dispatch (next_at, id)
        WHERE state = 'planned' AND channel = 'phone' AND rule <> 'ready'
    """,
    """
    CREATE INDEX dispatch_calls_due ON dispatch ((attempts > 0) DESC, priority DESC, next_at, id)
        WHERE state = 'planned' AND channel = 'phone'
    """,
)
_DOWN = (
    "DROP INDEX dispatch_calls_due, dispatch_calls_undecided, dispatch_pages_undecided",
    "DROP TABLE web_count",
    "DROP TABLE web_dismissal",
    "DROP TABLE web_member",
    "DROP TABLE web_text",
    "DROP TABLE web_content",
    "DROP TABLE web_place",
    # What a caller holds is planned again: a version that knows no callers would wait for ever.
    """
    UPDATE dispatch SET state = 'planned', claimed_by = NULL, claimed_until = NULL
    WHERE channel = 'phone' AND state = 'claimed'
    """,
    "DROP TABLE call_file",
    "DROP TABLE call",
    "DROP TABLE call_batch",
    "DROP TABLE call_outcome",
    "DROP TABLE insight_card",
    "DROP TABLE link_card",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop them, and plan anew what callers hold."""
    for statement in _DOWN:
        op.execute(statement)
