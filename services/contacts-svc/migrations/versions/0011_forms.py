"""What forms ask beside names and addresses, and what defends them."""

from alembic import op

revision = "0011"
down_revision = "0010"

_UP = (
    """
    -- No installation is older than this revision: the tables are empty when it runs.
    -- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid, adding-serial-primary-key-field, require-concurrent-index-creation
    SELECT
    """,
    """
    ALTER TABLE form
        ADD COLUMN fields jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN topics jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN boxes jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN list_id uuid,
        ADD COLUMN download jsonb,
        ADD COLUMN proof_of_work_bits int NOT NULL DEFAULT 0
            CHECK (proof_of_work_bits BETWEEN 0 AND 22),
        ADD COLUMN posts_per_hour int CHECK (posts_per_hour > 0)
    """,
    """
    CREATE TABLE form_version (
        form_id uuid NOT NULL,
        version int NOT NULL,
        body jsonb NOT NULL,
        actor varchar NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (form_id, version)
    )
    """,
    "ALTER TABLE consent_text ADD COLUMN box varchar NOT NULL DEFAULT 'consent'",
    "ALTER TABLE consent_text DROP CONSTRAINT consent_text_pkey",
    "ALTER TABLE consent_text ADD PRIMARY KEY (form_id, box, language, version)",
    """
    ALTER TABLE lead
        ADD COLUMN answers jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN topics jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN boxes jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN visitor_id uuid
    """,
    "UPDATE lead SET boxes = jsonb_build_object('consent', text_version) WHERE is_consented",
    "ALTER TABLE confirmation ADD COLUMN boxes jsonb NOT NULL DEFAULT '{}'",
    """
    UPDATE confirmation SET boxes = jsonb_build_object('consent', jsonb_build_object(
        'version', text_version, 'text', text_shown, 'purposes', purposes))
    """,
    "CREATE INDEX ix_confirmation_requested_at ON confirmation (requested_at)",
    """
    CREATE TABLE lead_answer (
        lead_id uuid NOT NULL,
        question varchar NOT NULL,
        answer varchar NOT NULL,
        person_id uuid NOT NULL,
        term varchar NOT NULL,
        said_at timestamptz NOT NULL,
        is_confirmed boolean NOT NULL,
        PRIMARY KEY (lead_id, question, answer)
    )
    """,
    "CREATE INDEX ix_lead_answer_person_id ON lead_answer (person_id)",
    """
    CREATE TABLE download_asset (
        id uuid PRIMARY KEY,
        form_id uuid NOT NULL,
        file_name varchar NOT NULL,
        content_type varchar NOT NULL,
        content bytea NOT NULL CHECK (octet_length(content) <= 1048576),
        made_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_download_asset_form_id ON download_asset (form_id)",
    "CREATE TABLE proof_of_work (hash bytea PRIMARY KEY, used_at timestamptz NOT NULL)",
    """
    CREATE TABLE intake_window (
        name varchar NOT NULL,
        starts_at timestamptz NOT NULL,
        shard int NOT NULL,
        counted int NOT NULL,
        PRIMARY KEY (name, starts_at, shard)
    )
    """,
    """
    CREATE TABLE asked_mailbox (
        hash bytea PRIMARY KEY,
        unanswered int NOT NULL CHECK (unanswered BETWEEN 1 AND 3),
        last_at timestamptz NOT NULL
    )
    """,
)
_DOWN = (
    "DROP TABLE asked_mailbox, intake_window, proof_of_work, download_asset, lead_answer, form_version",
    "DROP INDEX ix_confirmation_requested_at",
    "ALTER TABLE confirmation DROP COLUMN boxes",
    """
    ALTER TABLE lead
        DROP COLUMN answers, DROP COLUMN topics, DROP COLUMN boxes, DROP COLUMN visitor_id
    """,
    # The older schema knows one box.
    "DELETE FROM consent_text WHERE box <> 'consent'",
    "ALTER TABLE consent_text DROP CONSTRAINT consent_text_pkey",
    "ALTER TABLE consent_text ADD PRIMARY KEY (form_id, language, version)",
    "ALTER TABLE consent_text DROP COLUMN box",
    """
    ALTER TABLE form
        DROP COLUMN fields, DROP COLUMN topics, DROP COLUMN boxes, DROP COLUMN list_id,
        DROP COLUMN download, DROP COLUMN proof_of_work_bits, DROP COLUMN posts_per_hour
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    for statement in _DOWN:
        op.execute(statement)
