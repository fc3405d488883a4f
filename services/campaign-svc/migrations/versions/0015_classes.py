"""What templates are written for, what the club says, who has signed up, and which asked conditions are closed."""

from alembic import op

revision = "0015"
down_revision = "0014"

_UP = (
    """
    -- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid, require-concurrent-index-creation
    CREATE TABLE template_note (
        template_id uuid PRIMARY KEY,
        revision integer NOT NULL,
        name text NOT NULL,
        number integer NOT NULL,
        message_class text NOT NULL
    )
    """,
    """
    CREATE TABLE club_message (
        occasion text PRIMARY KEY CHECK (occasion IN ('welcome', 'tier_reached', 'points_expiring')),
        version integer NOT NULL,
        action jsonb NOT NULL,
        days_before integer NOT NULL,
        looked_until timestamptz NOT NULL,
        changed_by text NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE sign_up (
        id uuid PRIMARY KEY,
        programme_id uuid NOT NULL REFERENCES programme,
        step text NOT NULL,
        person_id uuid NOT NULL,
        merged_id uuid,
        language text NOT NULL,
        signed_at timestamptz NOT NULL,
        cancelled_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX sign_up_of_person ON sign_up (programme_id, step, (coalesce(merged_id, person_id)))",
    "CREATE INDEX sign_up_person_id ON sign_up (person_id)",
    "CREATE INDEX sign_up_merged_id ON sign_up (merged_id) WHERE merged_id IS NOT NULL",
    """
    CREATE TABLE person_reason (
        insight_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        merged_id uuid,
        kind text NOT NULL,
        term text NOT NULL,
        words jsonb NOT NULL,
        said_at timestamptz NOT NULL,
        is_taken_back boolean NOT NULL
    )
    """,
    "CREATE INDEX person_reason_person_id ON person_reason (person_id)",
    "CREATE INDEX person_reason_merged_id ON person_reason (merged_id) WHERE merged_id IS NOT NULL",
    # A handful of rows: what branches have ever asked of the register.
    "ALTER TABLE asked_condition ADD COLUMN told_version integer NOT NULL DEFAULT 0",
    "UPDATE asked_condition SET told_version = extract(epoch FROM asked_at)",
    "ALTER TABLE asked_condition DROP CONSTRAINT asked_condition_state_check",
    """
    ALTER TABLE asked_condition ADD CONSTRAINT asked_condition_state_check
        CHECK (state IN ('asked', 'accepted', 'refused', 'kept', 'closed'))
    """,
)
_DOWN = (
    "DELETE FROM asked_condition WHERE state = 'closed'",
    "ALTER TABLE asked_condition DROP CONSTRAINT asked_condition_state_check",
    """
    ALTER TABLE asked_condition ADD CONSTRAINT asked_condition_state_check
        CHECK (state IN ('asked', 'accepted', 'refused', 'kept'))
    """,
    "ALTER TABLE asked_condition DROP COLUMN told_version",
    "DROP TABLE person_reason",
    "DROP TABLE sign_up",
    "DROP TABLE club_message",
    "DROP TABLE template_note",
)


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Back to what was; who had signed up is forgotten."""
    for statement in _DOWN:
        op.execute(statement)
