"""Which ids of people were merged into which, and the messages that follow."""

from alembic import op

revision = "0004"
down_revision = "0003"

_STEPS = (
    # The new rule stands before the old one goes, and the version that still runs names neither. The indexes are built
    # in this transaction: a release waits for them while nothing is sent.
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
    "ALTER TABLE person_card ADD COLUMN last_email_hash bytea",
    "ALTER TABLE dispatch ADD COLUMN merged_id uuid",
    """
    CREATE UNIQUE INDEX dispatch_once ON dispatch (origin, origin_id, coalesce(merged_id, person_id), channel)
        NULLS NOT DISTINCT
    """,
    "ALTER TABLE dispatch DROP CONSTRAINT dispatch_origin_origin_id_person_id_channel_key",
    "CREATE INDEX dispatch_merged ON dispatch (merged_id) WHERE merged_id IS NOT NULL",
    # Two messages of one launch to one person are there only after a merge.
    "CREATE INDEX dispatch_twin ON dispatch (person_id, origin_id) WHERE merged_id IS NOT NULL",
)


def upgrade() -> None:
    """Make the table and the columns."""
    for statement in _STEPS:
        op.execute(statement)


def downgrade() -> None:
    """Give every message back to the id it was planned for."""
    op.execute(
        "UPDATE dispatch SET person_id = merged_id, merged_id = NULL WHERE merged_id IS NOT NULL"
    )
    op.execute("DROP INDEX dispatch_twin, dispatch_merged, dispatch_once")
    op.execute("ALTER TABLE dispatch DROP COLUMN merged_id")
    op.execute(
        """
        ALTER TABLE dispatch ADD CONSTRAINT dispatch_origin_origin_id_person_id_channel_key
            UNIQUE NULLS NOT DISTINCT (origin, origin_id, person_id, channel)
        """
    )
    op.execute("ALTER TABLE person_card DROP COLUMN last_email_hash")
    op.execute("DROP TABLE person_alias")
