"""What the DNS says of the domains that mails are from."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    op.execute(
        """
        CREATE TABLE sender_domain (
            domain     text PRIMARY KEY,
            is_ours    boolean NOT NULL,
            findings   jsonb NOT NULL,
            checked_at timestamptz NOT NULL
        )
        """
    )


def downgrade() -> None:
    """Drop it; the next check tells all of it again."""
    op.execute("DROP TABLE sender_domain")
