"""That goods arrived and that they came back, so that conditions and the timeline know of it."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    op.execute("ALTER TABLE order_fact ADD COLUMN delivered_at timestamptz")
    op.execute(
        """
        CREATE TABLE return_fact (
            return_id uuid PRIMARY KEY,
            order_id uuid NOT NULL,
            person_id uuid NOT NULL,
            number varchar NOT NULL,
            refund_minor bigint NOT NULL,
            currency varchar NOT NULL,
            is_withdrawal boolean NOT NULL,
            lines jsonb NOT NULL,
            campaign_id uuid,
            returned_at timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX ix_return_fact_person ON return_fact (person_id, returned_at)")


def downgrade() -> None:
    """Drop it: orders-svc keeps the returns themselves."""
    op.execute("DROP TABLE return_fact")
    op.execute("ALTER TABLE order_fact DROP COLUMN delivered_at")
