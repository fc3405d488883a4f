"""Why a step needs no permission, and how often another version of a template came to stand."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add what the version that still runs does not name; constants need no rewriting of a table."""
    op.execute("ALTER TABLE dispatch_source ADD COLUMN class_reason text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE template ADD COLUMN revision integer NOT NULL DEFAULT 1")


def downgrade() -> None:
    """Drop them."""
    op.execute("ALTER TABLE template DROP COLUMN revision")
    op.execute("ALTER TABLE dispatch_source DROP COLUMN class_reason")
