"""Which ids of people were merged into which, and the pieces that follow."""

from alembic import op

revision = "0002"
down_revision = "0001"

_STEPS = (
    # The new rule stands before the old one goes, and the version that still runs names neither. The indexes are built
    # in this transaction: a release waits for them while nothing is launched.
    """
    -- squawk-ignore-file require-concurrent-index-creation, ban-drop-constraint
    CREATE TABLE person_alias (
        merged_id uuid PRIMARY KEY,
        into_id   uuid NOT NULL,
        known_id  uuid,
        merge_id  uuid NOT NULL,
        version   bigint NOT NULL,
        is_undone boolean NOT NULL,
        at        timestamptz NOT NULL
    )
    """,
    "CREATE INDEX person_alias_into ON person_alias (into_id)",
    "CREATE INDEX person_alias_known ON person_alias (known_id)",
    "ALTER TABLE piece ADD COLUMN merged_id uuid",
    "CREATE UNIQUE INDEX piece_once ON piece (launch_id, coalesce(merged_id, person_id))",
    "ALTER TABLE piece DROP CONSTRAINT piece_launch_id_person_id_key",
    "CREATE INDEX piece_merged ON piece (merged_id) WHERE merged_id IS NOT NULL",
)


def upgrade() -> None:
    """Make the table and the column."""
    for statement in _STEPS:
        op.execute(statement)


def downgrade() -> None:
    """Give every piece back to the id in its audience."""
    op.execute(
        "UPDATE piece SET person_id = merged_id, merged_id = NULL WHERE merged_id IS NOT NULL"
    )
    op.execute("DROP INDEX piece_merged, piece_once")
    op.execute("ALTER TABLE piece DROP COLUMN merged_id")
    op.execute(
        "ALTER TABLE piece ADD CONSTRAINT piece_launch_id_person_id_key UNIQUE (launch_id, person_id)"
    )
    op.execute("DROP TABLE person_alias")
