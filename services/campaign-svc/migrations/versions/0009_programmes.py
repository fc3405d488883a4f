"""Programmes that never end: versions, runs with their timers, and what each run did."""

from alembic import op

revision = "0009"
down_revision = "0008"

_STATEMENTS = (
    """
    CREATE TABLE programme (
        id            uuid PRIMARY KEY,
        name          text NOT NULL,
        state         text NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'closed')),
        live_version  int,
        draft_version int,
        version       int NOT NULL,
        created_by    text NOT NULL,
        created_at    timestamptz NOT NULL,
        changed_at    timestamptz NOT NULL,
        CHECK ((state = 'draft') = (live_version IS NULL))
    )
    """,
    """
    CREATE TABLE programme_version (
        programme_id uuid NOT NULL REFERENCES programme ON DELETE CASCADE,
        version      int NOT NULL,
        graph        jsonb NOT NULL,
        trigger_on   text NOT NULL,
        trigger_name text NOT NULL,
        published_at timestamptz,
        published_by text NOT NULL,
        PRIMARY KEY (programme_id, version)
    )
    """,
    """
    CREATE TABLE programme_run (
        id           uuid PRIMARY KEY,
        programme_id uuid NOT NULL,
        version      int NOT NULL,
        person_id    uuid NOT NULL,
        merged_id    uuid,
        key          text NOT NULL,
        lane         int NOT NULL,
        state        text NOT NULL CHECK (state IN ('active', 'held', 'ended')),
        step         text NOT NULL,
        number       int NOT NULL,
        is_inside    boolean NOT NULL,
        due_at       timestamptz,
        waits_for    text[] NOT NULL,
        own_key      boolean NOT NULL,
        woken_by     text NOT NULL,
        held_because text NOT NULL CHECK (held_because IN ('', 'paused', 'late')),
        hears        text[] NOT NULL,
        heard        jsonb NOT NULL,
        facts        jsonb NOT NULL,
        passes       jsonb NOT NULL,
        goals        text[] NOT NULL,
        outcome      text NOT NULL,
        started_at   timestamptz NOT NULL,
        changed_at   timestamptz NOT NULL,
        ended_at     timestamptz,
        FOREIGN KEY (programme_id, version) REFERENCES programme_version,
        CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
        CHECK ((state = 'held') = (held_because <> '')),
        CHECK (state = 'active' OR due_at IS NULL)
    ) WITH (fillfactor = 80)
    """,
    # One run at a time per person and key, whoever the person has become.
    """
    CREATE UNIQUE INDEX programme_run_once ON programme_run (programme_id, coalesce(merged_id, person_id), key)
        WHERE ended_at IS NULL
    """,
    # The timers: what is not due yet is never looked at.
    "CREATE INDEX programme_run_due ON programme_run (lane, due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX programme_run_person ON programme_run (person_id)",
    "CREATE INDEX programme_run_merged ON programme_run (merged_id) WHERE merged_id IS NOT NULL",
    "CREATE INDEX programme_run_ended ON programme_run (ended_at) WHERE ended_at IS NOT NULL",
    """
    -- Written with every step of every run, and so without a reference that is looked up for each: whoever deletes runs
    -- deletes these, too.
    CREATE TABLE programme_visit (
        run_id uuid NOT NULL,
        number int NOT NULL,
        steps  text[] NOT NULL,
        at     timestamptz NOT NULL,
        PRIMARY KEY (run_id, number)
    )
    """,
    # Written in the order of time: where the old ones lie is known by a few pages.
    "CREATE INDEX programme_visit_at ON programme_visit USING brin (at)",
    """
    CREATE TABLE programme_move (
        id           uuid PRIMARY KEY,
        programme_id uuid NOT NULL REFERENCES programme ON DELETE CASCADE,
        from_version int NOT NULL,
        to_version   int NOT NULL,
        steps        jsonb NOT NULL,
        moved        bigint NOT NULL,
        decided_by   text NOT NULL,
        decided_at   timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE segment_member (
        segment_id uuid NOT NULL,
        person_id  uuid NOT NULL,
        is_in      boolean NOT NULL,
        revision   bigint NOT NULL,
        PRIMARY KEY (segment_id, person_id)
    )
    """,
    "CREATE INDEX segment_member_person ON segment_member (person_id)",
    """
    CREATE TABLE asked_condition (
        segment_id uuid PRIMARY KEY,
        condition  jsonb NOT NULL,
        state      text NOT NULL CHECK (state IN ('asked', 'accepted', 'refused', 'kept')),
        problem    text NOT NULL,
        asked_at   timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE person_zone (
        person_id uuid PRIMARY KEY,
        version   bigint NOT NULL,
        zone      text NOT NULL
    )
    """,
    """
    CREATE TABLE person_date (
        id        uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        merged_id uuid,
        name      text NOT NULL,
        key       text NOT NULL,
        on_date   date NOT NULL,
        set_at    timestamptz NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX person_date_once ON person_date (coalesce(merged_id, person_id), name, key)",
    "CREATE INDEX person_date_person ON person_date (person_id)",
    "CREATE INDEX person_date_merged ON person_date (merged_id) WHERE merged_id IS NOT NULL",
    "CREATE INDEX person_date_name ON person_date (name, id)",
    """
    CREATE TABLE person_need (
        insight_id    uuid PRIMARY KEY,
        person_id     uuid NOT NULL,
        merged_id     uuid,
        term          text NOT NULL,
        until         timestamptz,
        is_taken_back boolean NOT NULL
    )
    """,
    "CREATE INDEX person_need_person ON person_need (person_id)",
    "CREATE INDEX person_need_merged ON person_need (merged_id) WHERE merged_id IS NOT NULL",
    """
    CREATE TABLE told_event (
        event_id uuid PRIMARY KEY,
        told_at  timestamptz NOT NULL
    )
    """,
    "CREATE INDEX told_event_told ON told_event (told_at)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    for table in (
        "told_event",
        "person_need",
        "person_date",
        "person_zone",
        "asked_condition",
        "segment_member",
        "programme_move",
        "programme_visit",
        "programme_run",
        "programme_version",
        "programme",
    ):
        op.execute(f"DROP TABLE {table}")
