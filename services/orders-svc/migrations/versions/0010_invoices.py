"""Credit notes, the lines of invoices, sellers and buyers as of the issue; what has been issued stays as it is."""

from alembic import op

revision = "0010"
down_revision = "0009"

LEGAL = (
    "invoice_id, order_id, kind, credits_id, credit_reason, company, year, series_number, number, reference,"
    " reference_kind, language, net_minor, vat_minor, total_minor, currency, issued_at, due_on, seller"
)
"""What a bookkeeper reads in ten years; who owes it may be merged, what is paid changes, whom it names is forgotten."""

STATEMENTS = (
    """
    -- What is dropped is a guarantee that is replaced by a wider one in the same statement; nobody issues invoices while a
    -- release starts, and the indexes are built in this transaction.
    -- squawk-ignore-file require-concurrent-index-creation, ban-drop-constraint, ban-drop-not-null
    -- squawk-ignore-file adding-field-with-default, adding-foreign-key-constraint, constraint-missing-not-valid
    -- squawk-ignore-file disallowed-unique-constraint
    ALTER TABLE invoice_series ADD COLUMN last_credit_number integer NOT NULL DEFAULT 0
    """,
    """
    ALTER TABLE invoice
        ADD COLUMN kind varchar NOT NULL DEFAULT 'invoice',
        ADD COLUMN credits_id uuid REFERENCES invoice (invoice_id),
        ADD COLUMN credit_reason varchar NOT NULL DEFAULT '',
        ADD COLUMN credited_minor bigint NOT NULL DEFAULT 0,
        ADD COLUMN reference_kind varchar NOT NULL DEFAULT 'kid_mod10',
        ADD COLUMN seller jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN buyer jsonb NOT NULL DEFAULT '{}',
        ALTER COLUMN reference DROP NOT NULL,
        DROP CONSTRAINT invoice_order_id_key,
        DROP CONSTRAINT invoice_number,
        DROP CONSTRAINT invoice_paid,
        ADD CONSTRAINT invoice_number UNIQUE (company, year, kind, series_number),
        ADD CONSTRAINT invoice_paid CHECK (paid_minor >= 0 AND credited_minor >= 0
            AND paid_minor + credited_minor <= total_minor),
        ADD CONSTRAINT invoice_kind CHECK (kind IN ('invoice', 'credit_note')),
        ADD CONSTRAINT invoice_credits CHECK ((kind = 'credit_note') = (credits_id IS NOT NULL)),
        ADD CONSTRAINT invoice_reference CHECK ((kind = 'invoice') = (reference IS NOT NULL))
    """,
    "CREATE INDEX invoice_order ON invoice (order_id)",
    "CREATE INDEX invoice_credited ON invoice (credits_id) WHERE credits_id IS NOT NULL",
    """
    CREATE TABLE invoice_line (
        invoice_id       uuid REFERENCES invoice (invoice_id),
        line_no          integer,
        credits_line     integer,
        sku              varchar NOT NULL,
        name             varchar NOT NULL,
        quantity         integer NOT NULL,
        unit_price_minor bigint NOT NULL,
        vat_pct          numeric(5, 2) NOT NULL,
        amount_minor     bigint NOT NULL,
        PRIMARY KEY (invoice_id, line_no),
        CONSTRAINT invoice_line_quantity CHECK (quantity > 0),
        CONSTRAINT invoice_line_amount CHECK (amount_minor = quantity * unit_price_minor
            AND unit_price_minor >= 0)
    )
    """,
    """
    INSERT INTO invoice_line
    SELECT i.invoice_id, l.line_no, NULL, l.sku, l.name, l.quantity, l.unit_price_minor, l.vat_pct, l.amount_minor
    FROM invoice i JOIN order_line l USING (order_id)
    """,
    """
    CREATE FUNCTION invoice_is_issued() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        RAISE EXCEPTION 'invoice % is issued: it is credited, never changed', OLD.number
            USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    f"""
    CREATE TRIGGER invoice_stays BEFORE UPDATE OF {LEGAL} ON invoice
    FOR EACH ROW EXECUTE FUNCTION invoice_is_issued()
    """,
    """
    CREATE TRIGGER invoice_buyer_stays BEFORE UPDATE OF recipient, buyer ON invoice FOR EACH ROW
    WHEN (NEW.recipient NOT IN (OLD.recipient, '') OR NEW.buyer NOT IN (OLD.buyer, '{}'))
    EXECUTE FUNCTION invoice_is_issued()
    """,
    """
    CREATE TRIGGER invoice_is_kept BEFORE DELETE OR TRUNCATE ON invoice
    FOR EACH STATEMENT EXECUTE FUNCTION orders_is_append_only()
    """,
    *(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION orders_is_append_only()
        """
        for table in ("invoice_line", "invoice_vat")
    ),
    """
    ALTER TABLE ledger_transaction
        ADD COLUMN booked_on date NOT NULL DEFAULT current_date,
        ADD COLUMN label varchar NOT NULL DEFAULT ''
    """,
    # What is booked stays as it is booked; the day to which it belongs was not told apart from its moment until now.
    "ALTER TABLE ledger_transaction DISABLE TRIGGER ledger_transaction_append_only",
    "UPDATE ledger_transaction SET booked_on = (booked_at AT TIME ZONE 'UTC')::date",
    "ALTER TABLE ledger_transaction ENABLE TRIGGER ledger_transaction_append_only",
    "CREATE INDEX ix_ledger_transaction_booked_on ON ledger_transaction (booked_on)",
    "ALTER TABLE posting ADD COLUMN vat_pct numeric(5, 2)",
    """
    CREATE TABLE ledger_lock (
        locked_until date PRIMARY KEY,
        locked_at    timestamptz NOT NULL,
        actor        varchar NOT NULL,
        reason       varchar NOT NULL
    )
    """,
    """
    CREATE TRIGGER ledger_lock_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_lock
    FOR EACH STATEMENT EXECUTE FUNCTION orders_is_append_only()
    """,
    # Who locks waits for what is being booked, and who books waits for who locks: each statement here sees what the
    # one before has waited for.
    """
    CREATE FUNCTION ledger_keeps_to_open_periods() RETURNS trigger LANGUAGE plpgsql AS
    $$ DECLARE locked date;
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(hashtext('orders.ledger_lock'));
        SELECT max(locked_until) INTO locked FROM ledger_lock;
        IF NEW.booked_on <= locked THEN
            NEW.booked_on := greatest((NEW.booked_at AT TIME ZONE 'UTC')::date, locked + 1);
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER ledger_transaction_open BEFORE INSERT ON ledger_transaction
    FOR EACH ROW EXECUTE FUNCTION ledger_keeps_to_open_periods()
    """,
)


def upgrade() -> None:
    """Make them."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Take them back: what a credit note took off an invoice is forgotten with it."""
    for trigger, table in (
        ("invoice_stays", "invoice"),
        ("invoice_buyer_stays", "invoice"),
        ("invoice_is_kept", "invoice"),
        ("invoice_vat_append_only", "invoice_vat"),
    ):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.execute("DROP FUNCTION invoice_is_issued")
    op.execute("DROP TRIGGER ledger_transaction_open ON ledger_transaction")
    op.execute("DROP FUNCTION ledger_keeps_to_open_periods")
    op.execute("DROP TABLE ledger_lock")
    op.execute("ALTER TABLE posting DROP COLUMN vat_pct")
    op.execute("ALTER TABLE ledger_transaction DROP COLUMN booked_on, DROP COLUMN label")
    op.execute("DROP TABLE invoice_line")
    op.execute(
        "DELETE FROM invoice_vat v USING invoice i WHERE i.invoice_id = v.invoice_id AND i.kind <> 'invoice'"
    )
    op.execute("DELETE FROM invoice WHERE kind <> 'invoice'")
    op.execute(
        """
        ALTER TABLE invoice
            DROP CONSTRAINT invoice_number,
            DROP CONSTRAINT invoice_paid,
            DROP CONSTRAINT invoice_reference,
            DROP CONSTRAINT invoice_credits,
            DROP COLUMN kind, DROP COLUMN credits_id, DROP COLUMN credit_reason, DROP COLUMN credited_minor,
            DROP COLUMN reference_kind, DROP COLUMN seller, DROP COLUMN buyer,
            ALTER COLUMN reference SET NOT NULL,
            ADD CONSTRAINT invoice_number UNIQUE (company, year, series_number),
            ADD CONSTRAINT invoice_paid CHECK (paid_minor >= 0 AND paid_minor <= total_minor)
        """
    )
    op.execute("DROP INDEX invoice_order")
    op.execute("ALTER TABLE invoice ADD CONSTRAINT invoice_order_id_key UNIQUE (order_id)")
    op.execute("ALTER TABLE invoice_series DROP COLUMN last_credit_number")
