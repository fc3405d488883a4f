"""How unpaid invoices are followed up."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.execute(
        """
        CREATE TABLE dunning_case (
            invoice_id uuid PRIMARY KEY REFERENCES invoice (invoice_id),
            version    integer NOT NULL,
            state      varchar NOT NULL,
            before     varchar NOT NULL,
            reminders  integer NOT NULL,
            changed_at timestamptz NOT NULL,
            CONSTRAINT dunning_reminders CHECK (reminders >= 0)
        )
        """
    )
    op.execute("CREATE INDEX dunning_state ON dunning_case (state, invoice_id)")
    op.execute(
        """
        CREATE TABLE dunning_step (
            invoice_id uuid REFERENCES dunning_case (invoice_id),
            version    integer,
            step       varchar NOT NULL,
            taken_on   date NOT NULL,
            actor      varchar NOT NULL,
            entered_at timestamptz NOT NULL,
            PRIMARY KEY (invoice_id, version)
        )
        """
    )


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE dunning_step")
    op.execute("DROP TABLE dunning_case")
