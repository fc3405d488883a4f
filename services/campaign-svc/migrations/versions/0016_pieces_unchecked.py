"""Pieces no longer look up their launch and their cell one by one."""

from alembic import op

revision = "0016"
down_revision = "0015"

# Two look-ups a piece were a quarter of what a launch cost. Pieces are written by one statement, from the launch that
# its transaction changes and from that campaign's cells; launches are never deleted, and cells in drafts alone.
_UP = (
    """
    -- squawk-ignore-file ban-drop-constraint, constraint-missing-not-valid, adding-foreign-key-constraint
    ALTER TABLE piece DROP CONSTRAINT piece_launch_id_fkey
    """,
    "ALTER TABLE piece DROP CONSTRAINT piece_cell_id_fkey",
)
# Existing rows are looked at under a lock that lets others read and write.
_DOWN = (
    "ALTER TABLE piece ADD CONSTRAINT piece_launch_id_fkey FOREIGN KEY (launch_id) REFERENCES launch NOT VALID",
    "ALTER TABLE piece ADD CONSTRAINT piece_cell_id_fkey FOREIGN KEY (cell_id) REFERENCES cell NOT VALID",
    "ALTER TABLE piece VALIDATE CONSTRAINT piece_launch_id_fkey",
    "ALTER TABLE piece VALIDATE CONSTRAINT piece_cell_id_fkey",
)


def upgrade() -> None:
    """Bring it."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Take it away."""
    for statement in _DOWN:
        op.execute(statement)
