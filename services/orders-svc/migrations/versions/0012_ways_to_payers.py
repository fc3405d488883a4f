"""How payers get their invoices, and what waits to be printed or handed to the e-invoice network."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    """
    -- squawk-ignore-file adding-foreign-key-constraint
    -- Whose card came before this counts as having an address until the next card of them comes.
    ALTER TABLE person ADD COLUMN has_email boolean NOT NULL DEFAULT true
    """,
    """
    CREATE TABLE payer (
        person_id           uuid PRIMARY KEY,
        way                 varchar NOT NULL,
        endpoint            varchar NOT NULL,
        organisation_number varchar NOT NULL,
        buyer_reference     varchar NOT NULL,
        set_by              varchar NOT NULL,
        set_at              timestamptz NOT NULL,
        CONSTRAINT payer_way CHECK (way IN ('email', 'letter', 'einvoice')),
        CONSTRAINT payer_endpoint CHECK (way <> 'einvoice' OR endpoint <> '')
    )
    """,
    """
    CREATE TABLE invoice_delivery (
        invoice_id uuid PRIMARY KEY REFERENCES invoice (invoice_id),
        number     varchar NOT NULL,
        way        varchar NOT NULL,
        endpoint   varchar NOT NULL,
        state      varchar NOT NULL,
        reason     varchar NOT NULL,
        asked_at   timestamptz NOT NULL,
        settled_at timestamptz,
        CONSTRAINT invoice_delivery_way CHECK (way IN ('letter', 'einvoice')),
        CONSTRAINT invoice_delivery_state CHECK (state IN ('waiting', 'sent')),
        CONSTRAINT invoice_delivery_settled CHECK ((state = 'sent') = (settled_at IS NOT NULL))
    )
    """,
    "CREATE INDEX invoice_delivery_waiting ON invoice_delivery (way, invoice_id) WHERE state = 'waiting'",
)


def upgrade() -> None:
    """Make them."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Take them back: what payers wished is forgotten, and what waited for a printer waits for nobody."""
    op.execute("DROP TABLE invoice_delivery")
    op.execute("DROP TABLE payer")
    op.execute("ALTER TABLE person DROP COLUMN has_email")
