"""Which ids of people were merged into which, and the facts that follow."""

from alembic import op

revision = "0002"
down_revision = "0001"

_STEPS = (
    # The indexes are built in this transaction: facts wait in their queue meanwhile.
    """
    -- squawk-ignore-file require-concurrent-index-creation
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
    "ALTER TABLE fact ADD COLUMN merged_id uuid",
    "ALTER TABLE fact ADD COLUMN is_twin boolean NOT NULL DEFAULT false",
    "CREATE INDEX fact_person ON fact (person_id) WHERE person_id IS NOT NULL",
    "CREATE INDEX fact_merged ON fact (merged_id) WHERE merged_id IS NOT NULL",
)


def upgrade() -> None:
    """Make the table and the columns."""
    for statement in _STEPS:
        op.execute(statement)


def downgrade() -> None:
    """Give every fact back to the id under which it came; a rebuild counts anew."""
    op.execute(
        "UPDATE fact SET person_id = merged_id, merged_id = NULL WHERE merged_id IS NOT NULL"
    )
    op.execute("DROP INDEX fact_merged, fact_person")
    op.execute("ALTER TABLE fact DROP COLUMN is_twin")
    op.execute("ALTER TABLE fact DROP COLUMN merged_id")
    op.execute("DROP TABLE person_alias")
