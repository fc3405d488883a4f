"""Which ids of people were merged into which, and what follows."""

from alembic import op

revision = "0003"
down_revision = "0002"

_FOLLOWING = ("sales_order", "invoice", "response")
_STEPS = (
    # The indexes are built in this transaction: a release waits for them while no order is taken.
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
    "CREATE INDEX response_person ON response (person_id)",
)


def upgrade() -> None:
    """Make the table, and a column in each table that follows."""
    for statement in _STEPS:
        op.execute(statement)
    for table in _FOLLOWING:
        op.execute(f"ALTER TABLE {table} ADD COLUMN merged_id uuid")
        op.execute(
            f"CREATE INDEX {table}_merged ON {table} (merged_id) WHERE merged_id IS NOT NULL"
        )


def downgrade() -> None:
    """Give everything back to the id under which it came."""
    for table in _FOLLOWING:
        op.execute(
            f"UPDATE {table} SET person_id = merged_id, merged_id = NULL"  # noqa: S608 - a constant above
            " WHERE merged_id IS NOT NULL"
        )
        op.execute(f"ALTER TABLE {table} DROP COLUMN merged_id")
    op.execute("DROP INDEX response_person")
    op.execute("DROP TABLE person_alias")
