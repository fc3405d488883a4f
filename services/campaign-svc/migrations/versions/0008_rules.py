"""What is done about people, and why."""

from alembic import op

revision = "0008"
down_revision = "0007"

_UP = (
    """
    CREATE TABLE step (
        id            uuid PRIMARY KEY,
        asker_kind    text NOT NULL,
        asker_id      uuid NOT NULL,
        asker_name    text NOT NULL,
        asker_version int NOT NULL,
        step          text NOT NULL,
        person_id     uuid NOT NULL,
        merged_id     uuid,
        kind          text NOT NULL,
        action        jsonb NOT NULL,
        because       jsonb NOT NULL,
        facts         jsonb NOT NULL,
        channel       text NOT NULL,
        missed        jsonb NOT NULL,
        state         text NOT NULL CHECK (state IN ('requested', 'open', 'done', 'accepted', 'failed', 'suppressed',
                          'expired', 'in_doubt')),
        reason        text NOT NULL,
        at            timestamptz NOT NULL,
        due_at        timestamptz,
        settled_at    timestamptz,
        settled_by    text NOT NULL,
        CHECK ((state IN ('requested', 'open')) = (settled_at IS NULL))
    )
    """,
    "CREATE INDEX step_of_person ON step (person_id, at)",
    "CREATE INDEX step_of_asker ON step (asker_id, person_id, at)",
    "CREATE INDEX step_merged ON step (merged_id) WHERE merged_id IS NOT NULL",
    "CREATE INDEX step_open ON step (id) WHERE state = 'open'",
    """
    CREATE TABLE rule (
        id              uuid PRIMARY KEY,
        version         int NOT NULL,
        kind            text NOT NULL CHECK (kind IN ('rule', 'milestone')),
        name            text NOT NULL,
        state           text NOT NULL CHECK (state IN ('checking', 'active', 'paused', 'refused', 'ended')),
        is_paused       boolean NOT NULL,
        problem         text NOT NULL,
        trigger         jsonb NOT NULL,
        segment_id      uuid,
        in_words        text NOT NULL,
        reads           jsonb NOT NULL,
        action          jsonb NOT NULL,
        re_entry        text NOT NULL CHECK (re_entry IN ('once', 'once_a_year', 'every_entry')),
        cool_down_hours int NOT NULL CHECK (cool_down_hours >= 0),
        priority        int NOT NULL,
        valid_from      timestamptz,
        valid_to        timestamptz,
        created_by      text NOT NULL,
        created_at      timestamptz NOT NULL,
        updated_at      timestamptz NOT NULL,
        CHECK (valid_to > valid_from)
    )
    """,
    "CREATE INDEX rule_of_segment ON rule (segment_id) WHERE state IN ('active', 'paused')",
    """
    CREATE TABLE rule_entry (
        id           uuid PRIMARY KEY,
        rule_id      uuid NOT NULL REFERENCES rule,
        rule_version int NOT NULL,
        person_id    uuid NOT NULL,
        merged_id    uuid,
        at           timestamptz NOT NULL,
        decided_at   timestamptz NOT NULL,
        decision     text NOT NULL,
        clauses      jsonb NOT NULL,
        step_id      uuid
    )
    """,
    "CREATE INDEX rule_entry_of_rule ON rule_entry (rule_id, at)",
    "CREATE INDEX rule_entry_of_person ON rule_entry (person_id, rule_id, at)",
    "CREATE INDEX rule_entry_merged ON rule_entry (merged_id) WHERE merged_id IS NOT NULL",
    """
    CREATE TABLE rule_member (
        segment_id uuid NOT NULL,
        person_id  uuid NOT NULL,
        is_in      boolean NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (segment_id, person_id)
    )
    """,
    "CREATE INDEX rule_member_of_person ON rule_member (person_id)",
    """
    CREATE TABLE rehearsal (
        id       uuid PRIMARY KEY,
        rule_id  uuid NOT NULL REFERENCES rule,
        since    timestamptz NOT NULL,
        until    timestamptz NOT NULL,
        entries  int,
        listed   int,
        as_now   jsonb NOT NULL,
        problem  text NOT NULL,
        asked_by text NOT NULL,
        asked_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE rehearsal_entry (
        rehearsal_id uuid NOT NULL REFERENCES rehearsal,
        person_id    uuid NOT NULL,
        at           timestamptz NOT NULL,
        PRIMARY KEY (rehearsal_id, person_id, at)
    )
    """,
    "CREATE INDEX rehearsal_entry_of_person ON rehearsal_entry (person_id)",
    """
    CREATE TABLE role_card (
        link_id         uuid PRIMARY KEY,
        version         int NOT NULL,
        person_id       uuid NOT NULL,
        organisation_id uuid NOT NULL,
        role            text NOT NULL,
        do_not_contact  boolean NOT NULL,
        not_before      date,
        valid_from      date,
        valid_to        date,
        is_removed      boolean NOT NULL
    )
    """,
    "CREATE INDEX role_card_of_organisation ON role_card (organisation_id) WHERE NOT is_removed",
    "CREATE INDEX role_card_of_person ON role_card (person_id)",
)
_TABLES = ("step", "rule", "rule_entry", "rule_member", "rehearsal", "rehearsal_entry", "role_card")


def upgrade() -> None:
    """Add tables; nothing that stands is changed."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")
