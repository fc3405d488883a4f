"""How each person of a frozen audience could be reached."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add the routes; an audience that asked for none has none."""
    op.execute("ALTER TABLE frozen_page ADD COLUMN routes text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    """Forget them."""
    op.execute("ALTER TABLE frozen_page DROP COLUMN routes  -- squawk-ignore ban-drop-column")
