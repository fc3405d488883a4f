"""Nothing yet."""

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Nothing to do."""


def downgrade() -> None:
    """Nothing to do."""
