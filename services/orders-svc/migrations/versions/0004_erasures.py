"""Who was forgotten, and how long what is kept."""

from alembic import op

from kantis_kit.db.tables import create_forgetting, drop_forgetting

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    create_forgetting()
    op.execute(
        """
        CREATE TABLE restricted_recipient (
            invoice_id uuid PRIMARY KEY REFERENCES invoice (invoice_id),
            recipient varchar NOT NULL,
            keep_until date NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX restricted_recipient_until ON restricted_recipient (keep_until)")


def downgrade() -> None:
    """Give the recipients back to their invoices, and drop the tables."""
    op.execute(
        "UPDATE invoice SET recipient = r.recipient FROM restricted_recipient r"
        " WHERE r.invoice_id = invoice.invoice_id"
    )
    op.execute("DROP TABLE restricted_recipient")
    drop_forgetting()
