"""Nothing yet."""

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Nothing to do."""


def downgrade() -> None:
    """Nothing to do."""
