"""Facts of orders, invoices, payments, messages and responses."""

from alembic import op

revision = "0017"
down_revision = "0016"

_ORDER_COLUMNS = (
    "number varchar NOT NULL DEFAULT ''",
    "lines jsonb NOT NULL DEFAULT '[]'",
    "campaign_id uuid",
    "shipped_at timestamptz",
    "cancelled_at timestamptz",
)
_TABLES = (
    """
    CREATE TABLE invoice_fact (
        invoice_id uuid PRIMARY KEY,
        order_id uuid NOT NULL,
        person_id uuid NOT NULL,
        number varchar NOT NULL,
        currency varchar NOT NULL,
        total_minor bigint,
        paid_minor bigint NOT NULL,
        open_minor bigint,
        due_on date,
        campaign_id uuid,
        issued_at timestamptz
    )
    """,
    "CREATE INDEX ix_invoice_fact_person ON invoice_fact (person_id, issued_at)",
    """
    CREATE TABLE payment_fact (
        payment_id uuid PRIMARY KEY,
        invoice_id uuid NOT NULL,
        order_id uuid NOT NULL,
        person_id uuid NOT NULL,
        amount_minor bigint NOT NULL,
        currency varchar NOT NULL,
        booked_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_payment_fact_person ON payment_fact (person_id, booked_at)",
    "CREATE INDEX ix_payment_fact_invoice_id ON payment_fact (invoice_id)",
    """
    CREATE TABLE message_fact (
        message_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        channel varchar NOT NULL,
        campaign_id uuid,
        state varchar NOT NULL,
        reason varchar NOT NULL,
        at timestamptz NOT NULL,
        settled_at timestamptz,
        opened_at timestamptz,
        clicked_at timestamptz
    )
    """,
    "CREATE INDEX ix_message_fact_person ON message_fact (person_id, at)",
    """
    CREATE TABLE engagement_fact (
        engagement_id uuid PRIMARY KEY,
        message_id uuid NOT NULL,
        person_id uuid NOT NULL,
        kind varchar NOT NULL,
        verdict varchar NOT NULL,
        link_id uuid,
        campaign_id uuid,
        seen_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_engagement_fact_person ON engagement_fact (person_id, seen_at)",
    """
    CREATE TABLE response_fact (
        response_id uuid PRIMARY KEY,
        person_id uuid NOT NULL,
        kind varchar NOT NULL,
        way varchar NOT NULL,
        campaign_id uuid,
        responded_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ix_response_fact_person ON response_fact (person_id, responded_at)",
)


def upgrade() -> None:
    """Make the tables."""
    for column in _ORDER_COLUMNS:
        op.execute(f"ALTER TABLE order_fact ADD COLUMN {column}")
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    op.execute(
        "DROP TABLE response_fact, engagement_fact, message_fact, payment_fact, invoice_fact"
    )
    for column in _ORDER_COLUMNS:
        op.execute(f"ALTER TABLE order_fact DROP COLUMN {column.split()[0]}")
