"""Keys that more people share than each is compared with."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the table; those who are in such a block are found when they are compared next."""
    op.execute(
        """
        CREATE TABLE duplicate_block (
            key bigint PRIMARY KEY,
            kind varchar NOT NULL,
            seen_at timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE duplicate_block")
