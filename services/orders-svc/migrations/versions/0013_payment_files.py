"""Large files of the bank's are read in portions, and one that cannot be trusted says why."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    -- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid
    -- The rules that come instead ask for less, and of a table with a few files a day.
    ALTER TABLE payment_file ADD COLUMN problem varchar NOT NULL DEFAULT '',
        ADD COLUMN file_bytes bigint NOT NULL DEFAULT 0,
        ADD COLUMN read_bytes bigint NOT NULL DEFAULT 0,
        ADD COLUMN checkpoint jsonb,
        DROP CONSTRAINT payment_file_state,
        DROP CONSTRAINT payment_file_done
    """,
    # Until now a file had all its entries when it was kept at all.
    "UPDATE payment_file SET state = 'booking' WHERE state = 'reading'",
    """
    ALTER TABLE payment_file
        ADD CONSTRAINT payment_file_state CHECK (state IN ('reading', 'booking', 'done', 'refused')),
        ADD CONSTRAINT payment_file_done CHECK ((state IN ('done', 'refused')) = (done_at IS NOT NULL))
    """,
)


def upgrade() -> None:
    """Make them."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Take them back: what was not read to its end is forgotten, its sender sends it again."""
    op.execute(
        "ALTER TABLE payment_file DROP CONSTRAINT payment_file_state, DROP CONSTRAINT payment_file_done"
    )
    op.execute(
        "DELETE FROM payment_entry WHERE file_id IN (SELECT file_id FROM payment_file WHERE state = 'reading')"
    )
    op.execute("DELETE FROM payment_file WHERE state IN ('reading', 'refused')")
    op.execute("UPDATE payment_file SET state = 'reading' WHERE state = 'booking'")
    op.execute(
        """
        ALTER TABLE payment_file DROP COLUMN problem, DROP COLUMN file_bytes, DROP COLUMN read_bytes,
            DROP COLUMN checkpoint,
            ADD CONSTRAINT payment_file_state CHECK (state IN ('reading', 'done')),
            ADD CONSTRAINT payment_file_done CHECK ((state = 'done') = (done_at IS NOT NULL))
        """
    )
