"""Who was forgotten, and how long what is kept."""

from kantis_kit.db.tables import create_forgetting, drop_forgetting

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    create_forgetting()


def downgrade() -> None:
    """Drop the tables."""
    drop_forgetting()
