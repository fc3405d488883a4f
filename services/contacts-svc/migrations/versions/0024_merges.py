"""Nothing yet."""

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Nothing to do."""


def downgrade() -> None:
    """Nothing to do."""
