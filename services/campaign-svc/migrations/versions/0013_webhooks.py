"""Webhooks to other systems, and what they are told."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add what the version that still runs does not name."""
    op.execute(
        """
        CREATE TABLE webhook (
            id         uuid PRIMARY KEY,
            name       text NOT NULL,
            url        text NOT NULL,
            key_id     text NOT NULL,
            sealed     bytea NOT NULL,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL,
            changed_at timestamptz NOT NULL,
            closed_at  timestamptz
        )
        """
    )
    op.execute(
        """
        CREATE TABLE webhook_delivery (
            id         uuid PRIMARY KEY,
            number     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
            webhook_id uuid NOT NULL REFERENCES webhook (id),
            person_id  uuid NOT NULL,
            merged_id  uuid,
            body       jsonb NOT NULL,
            state      text NOT NULL CHECK (state IN ('waiting', 'done', 'parked', 'dropped')),
            attempts   int NOT NULL CHECK (attempts >= 0),
            due_at     timestamptz NOT NULL,
            status     int,
            problem    text NOT NULL,
            made_at    timestamptz NOT NULL,
            settled_at timestamptz,
            CHECK ((settled_at IS NULL) = (state = 'waiting'))
        )
        """
    )
    # What is due, and whether something earlier of the same person is still to be told.
    op.execute(
        "CREATE INDEX ix_webhook_delivery_due ON webhook_delivery (due_at) WHERE state = 'waiting'"
    )
    op.execute(
        """
        CREATE INDEX ix_webhook_delivery_line ON webhook_delivery (webhook_id, person_id, number)
        WHERE state IN ('waiting', 'parked')
        """
    )
    op.execute("CREATE INDEX ix_webhook_delivery_person ON webhook_delivery (person_id)")
    op.execute(
        "CREATE INDEX ix_webhook_delivery_merged ON webhook_delivery (merged_id) WHERE merged_id IS NOT NULL"
    )


def downgrade() -> None:
    """Drop them: what was not told yet is lost with them."""
    op.execute("DROP TABLE webhook_delivery")
    op.execute("DROP TABLE webhook")
