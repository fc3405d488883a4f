"""Nothing yet."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing to do."""


def downgrade() -> None:
    """Nothing to do."""
