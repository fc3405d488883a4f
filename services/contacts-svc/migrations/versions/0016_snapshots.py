"""Snapshots."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the tables."""


def downgrade() -> None:
    """Drop the tables."""
