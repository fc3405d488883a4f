"""Facts."""

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Drop the tables."""
