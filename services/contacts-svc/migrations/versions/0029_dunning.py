"""Which invoices the company reminds of."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add where the dunning of an invoice stands."""
    op.execute(
        """
        ALTER TABLE invoice_fact
            ADD COLUMN dunning_version integer NOT NULL DEFAULT 0,
            ADD COLUMN dunning_state   varchar NOT NULL DEFAULT 'none',
            ADD COLUMN reminders       integer NOT NULL DEFAULT 0,
            ADD COLUMN dunning_at      timestamptz
        """
    )


def downgrade() -> None:
    """Forget it."""
    op.execute(
        """
        -- squawk-ignore-file ban-drop-column
        ALTER TABLE invoice_fact
            DROP COLUMN dunning_version,
            DROP COLUMN dunning_state,
            DROP COLUMN reminders,
            DROP COLUMN dunning_at
        """
    )
