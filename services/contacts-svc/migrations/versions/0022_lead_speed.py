"""Nothing yet."""

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Nothing to do."""


def downgrade() -> None:
    """Nothing to do."""
