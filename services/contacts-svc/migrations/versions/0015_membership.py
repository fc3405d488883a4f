"""Membership that is kept: who is in which segment, until when for sure, and how far the keeper has come."""

from alembic import op

revision = "0015"
down_revision = "0014"

_TABLES = (
    """
    -- No installation is older than this revision: the tables are empty when it runs.
    -- squawk-ignore-file constraint-missing-not-valid
    SELECT
    """,
    "ALTER TABLE touched_person ADD COLUMN followed int NOT NULL DEFAULT 0",
    "ALTER TABLE segment ADD COLUMN kind varchar NOT NULL DEFAULT 'condition'",
    "ALTER TABLE segment ADD CONSTRAINT segment_kind CHECK (kind IN ('condition', 'list'))",
    """
    CREATE TABLE segment_member (
        segment_id uuid NOT NULL,
        person_id uuid NOT NULL,
        since timestamptz NOT NULL,
        PRIMARY KEY (segment_id, person_id)
    )
    """,
    "CREATE INDEX ix_segment_member_person_id ON segment_member (person_id)",
    """
    CREATE TABLE segment_due (
        segment_id uuid NOT NULL,
        person_id uuid NOT NULL,
        due_at timestamptz NOT NULL,
        PRIMARY KEY (segment_id, person_id)
    )
    """,
    "CREATE INDEX ix_segment_due_due_at ON segment_due (due_at)",
    """
    CREATE TABLE segment_state (
        segment_id uuid PRIMARY KEY,
        wanted int NOT NULL,
        built int NOT NULL,
        building int NOT NULL,
        build_after uuid,
        built_at timestamptz
    )
    """,
    """
    CREATE TABLE segment_reference (
        segment_id uuid NOT NULL,
        refers_to uuid NOT NULL,
        PRIMARY KEY (segment_id, refers_to)
    )
    """,
    "CREATE INDEX ix_segment_reference_refers_to ON segment_reference (refers_to)",
    "INSERT INTO segment_state SELECT id, 1, 0, 0, NULL, NULL FROM segment WHERE is_active",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables; lists that were segments go, too, because they have no condition to stand for them."""
    op.execute("DROP TABLE segment_reference, segment_state, segment_due, segment_member")
    op.execute("ALTER TABLE segment DROP COLUMN kind")
    op.execute("ALTER TABLE touched_person DROP COLUMN followed")
