"""Nothing yet."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing to do."""


def downgrade() -> None:
    """Nothing to do."""
