"""Products, codes, responses, orders, invoices, payments and the ledger."""

from alembic import op

from kantis_kit.db.tables import create_kit_tables, drop_kit_tables

revision = "0001"
down_revision = None

STATEMENTS = (
    "CREATE SEQUENCE order_number START WITH 100001",
    "CREATE SEQUENCE kid_base START WITH 100000001",
    """
    CREATE TABLE code (
        response_code VARCHAR NOT NULL,
        piece_id UUID,
        person_id UUID,
        launch_id UUID,
        cell_id UUID,
        PRIMARY KEY (response_code),
        CONSTRAINT code_whole CHECK (num_nulls(piece_id, person_id, launch_id, cell_id) IN (0, 4))
    )
    """,
    """
    CREATE TABLE invoice_series (
        company VARCHAR NOT NULL,
        year INTEGER NOT NULL,
        last_number INTEGER NOT NULL,
        PRIMARY KEY (company, year)
    )
    """,
    """
    CREATE TABLE ledger_transaction (
        transaction_id UUID NOT NULL,
        kind VARCHAR NOT NULL,
        subject_id UUID NOT NULL,
        booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (transaction_id),
        CONSTRAINT ledger_transaction_once UNIQUE (kind, subject_id)
    )
    """,
    """
    CREATE TABLE person (
        person_id UUID NOT NULL,
        version INTEGER NOT NULL,
        preferred_name VARCHAR NOT NULL,
        full_name VARCHAR NOT NULL,
        language VARCHAR NOT NULL,
        country VARCHAR NOT NULL,
        street VARCHAR NOT NULL,
        postal_code VARCHAR NOT NULL,
        city VARCHAR NOT NULL,
        address_country VARCHAR NOT NULL,
        is_erased BOOLEAN NOT NULL,
        PRIMARY KEY (person_id)
    )
    """,
    """
    CREATE TABLE product (
        product_id UUID NOT NULL,
        version INTEGER NOT NULL,
        sku VARCHAR NOT NULL,
        name VARCHAR NOT NULL,
        price_minor INTEGER NOT NULL,
        currency VARCHAR NOT NULL,
        vat_pct INTEGER NOT NULL,
        is_active BOOLEAN NOT NULL,
        on_hand INTEGER NOT NULL,
        reserved INTEGER NOT NULL,
        PRIMARY KEY (product_id),
        CONSTRAINT product_price CHECK (price_minor >= 0),
        CONSTRAINT product_vat CHECK (vat_pct BETWEEN 0 AND 100),
        CONSTRAINT product_stock CHECK (reserved >= 0 AND reserved <= on_hand),
        UNIQUE (sku)
    )
    """,
    """
    CREATE TABLE release (
        launch_id UUID NOT NULL,
        cell_id UUID NOT NULL,
        campaign_id UUID NOT NULL,
        campaign_name VARCHAR NOT NULL,
        product_id UUID,
        offer_name VARCHAR NOT NULL,
        offer_price_minor BIGINT,
        offer_currency VARCHAR,
        PRIMARY KEY (launch_id, cell_id)
    )
    """,
    """
    CREATE TABLE response (
        response_id UUID NOT NULL,
        kind VARCHAR NOT NULL,
        way VARCHAR NOT NULL,
        response_code VARCHAR,
        person_id UUID,
        piece_id UUID,
        campaign_id UUID,
        cell_id UUID,
        state VARCHAR NOT NULL,
        next_step VARCHAR NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        responded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        answered_at TIMESTAMP WITH TIME ZONE,
        quantity INTEGER NOT NULL,
        lines JSONB NOT NULL,
        address_correction JSONB,
        note VARCHAR NOT NULL,
        answer VARCHAR NOT NULL,
        order_id UUID,
        is_repeat BOOLEAN NOT NULL,
        PRIMARY KEY (response_id),
        CONSTRAINT response_kind CHECK (kind IN ('order', 'inquiry', 'complaint', 'refusal')),
        CONSTRAINT response_state CHECK (state IN ('unresolved', 'open', 'answered')),
        CONSTRAINT response_done CHECK ((state = 'answered') = (next_step = 'done')),
        CONSTRAINT response_answered CHECK ((state = 'answered') = (answered_at IS NOT NULL)),
        CONSTRAINT response_unresolved CHECK ((state = 'unresolved') = (next_step = 'resolve_code')),
        CONSTRAINT response_person CHECK (state = 'unresolved' OR person_id IS NOT NULL),
        CONSTRAINT response_ship_order CHECK (next_step <> 'ship_order' OR order_id IS NOT NULL),
        CONSTRAINT response_who CHECK (num_nonnulls(response_code, person_id) > 0)
    )
    """,
    "CREATE INDEX response_due ON response (state, due_at, response_id)",
    "CREATE UNIQUE INDEX response_once ON response (response_code, kind) WHERE NOT is_repeat",
    "CREATE INDEX response_order ON response (order_id)",
    "CREATE INDEX response_waiting ON response (response_code) WHERE state = 'unresolved'",
    """
    CREATE TABLE sales_order (
        order_id UUID NOT NULL,
        version INTEGER NOT NULL,
        number VARCHAR NOT NULL,
        person_id UUID NOT NULL,
        response_id UUID,
        campaign_id UUID,
        cell_id UUID,
        state VARCHAR NOT NULL,
        is_paid BOOLEAN NOT NULL,
        total_minor BIGINT NOT NULL,
        currency VARCHAR NOT NULL,
        placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        picked_at TIMESTAMP WITH TIME ZONE,
        shipped_at TIMESTAMP WITH TIME ZONE,
        cancelled_at TIMESTAMP WITH TIME ZONE,
        paid_at TIMESTAMP WITH TIME ZONE,
        tracking VARCHAR NOT NULL,
        PRIMARY KEY (order_id),
        CONSTRAINT sales_order_total CHECK (total_minor >= 0),
        CONSTRAINT sales_order_state CHECK (state IN ('placed', 'picking', 'shipped', 'cancelled')),
        CONSTRAINT sales_order_shipped CHECK ((state = 'shipped') = (shipped_at IS NOT NULL)),
        CONSTRAINT sales_order_paid CHECK (is_paid = (paid_at IS NOT NULL)),
        UNIQUE (number),
        UNIQUE (response_id)
    )
    """,
    "CREATE INDEX sales_order_open ON sales_order (placed_at) WHERE state IN ('placed', 'picking')",
    "CREATE INDEX sales_order_person ON sales_order (person_id)",
    """
    CREATE TABLE invoice (
        invoice_id UUID NOT NULL,
        order_id UUID NOT NULL,
        person_id UUID NOT NULL,
        campaign_id UUID,
        cell_id UUID,
        company VARCHAR NOT NULL,
        year INTEGER NOT NULL,
        series_number INTEGER NOT NULL,
        number VARCHAR NOT NULL,
        reference VARCHAR NOT NULL,
        language VARCHAR NOT NULL,
        recipient VARCHAR NOT NULL,
        net_minor BIGINT NOT NULL,
        vat_minor BIGINT NOT NULL,
        total_minor BIGINT NOT NULL,
        paid_minor BIGINT NOT NULL,
        currency VARCHAR NOT NULL,
        issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
        due_on DATE NOT NULL,
        PRIMARY KEY (invoice_id),
        CONSTRAINT invoice_number UNIQUE (company, year, series_number),
        CONSTRAINT invoice_sum CHECK (net_minor + vat_minor = total_minor),
        CONSTRAINT invoice_paid CHECK (paid_minor >= 0 AND paid_minor <= total_minor),
        CONSTRAINT invoice_positive CHECK (net_minor >= 0 AND vat_minor >= 0),
        UNIQUE (order_id),
        FOREIGN KEY(order_id) REFERENCES sales_order (order_id),
        UNIQUE (number),
        UNIQUE (reference)
    )
    """,
    "CREATE INDEX invoice_person ON invoice (person_id)",
    """
    CREATE TABLE order_line (
        order_id UUID NOT NULL,
        line_no INTEGER NOT NULL,
        product_id UUID NOT NULL,
        sku VARCHAR NOT NULL,
        name VARCHAR NOT NULL,
        quantity INTEGER NOT NULL,
        unit_price_minor BIGINT NOT NULL,
        vat_pct INTEGER NOT NULL,
        amount_minor BIGINT NOT NULL,
        PRIMARY KEY (order_id, line_no),
        CONSTRAINT order_line_quantity CHECK (quantity > 0),
        CONSTRAINT order_line_price CHECK (unit_price_minor >= 0),
        CONSTRAINT order_line_amount CHECK (amount_minor = quantity * unit_price_minor),
        FOREIGN KEY(order_id) REFERENCES sales_order (order_id),
        FOREIGN KEY(product_id) REFERENCES product (product_id)
    )
    """,
    """
    CREATE TABLE posting (
        transaction_id UUID NOT NULL,
        line_no INTEGER NOT NULL,
        account VARCHAR NOT NULL,
        currency VARCHAR NOT NULL,
        amount_minor BIGINT NOT NULL,
        invoice_id UUID,
        person_id UUID,
        PRIMARY KEY (transaction_id, line_no),
        CONSTRAINT posting_amount CHECK (amount_minor <> 0),
        CONSTRAINT posting_account CHECK (account IN ('receivables', 'revenue', 'vat', 'bank', 'customer_credit', 'unmatched')),
        FOREIGN KEY(transaction_id) REFERENCES ledger_transaction (transaction_id)
    )
    """,
    "CREATE INDEX posting_invoice ON posting (invoice_id)",
    """
    CREATE TABLE reservation (
        order_id UUID NOT NULL,
        product_id UUID NOT NULL,
        quantity INTEGER NOT NULL,
        state VARCHAR NOT NULL,
        PRIMARY KEY (order_id, product_id),
        CONSTRAINT reservation_quantity CHECK (quantity > 0),
        CONSTRAINT reservation_state CHECK (state IN ('held', 'consumed', 'released')),
        FOREIGN KEY(product_id) REFERENCES product (product_id)
    )
    """,
    "CREATE INDEX reservation_product ON reservation (product_id) WHERE state = 'held'",
    """
    CREATE TABLE stock_movement (
        movement_id UUID NOT NULL,
        product_id UUID NOT NULL,
        quantity INTEGER NOT NULL,
        reason VARCHAR NOT NULL,
        order_id UUID,
        moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (movement_id),
        CONSTRAINT stock_movement_quantity CHECK (quantity <> 0),
        FOREIGN KEY(product_id) REFERENCES product (product_id)
    )
    """,
    "CREATE INDEX stock_movement_product ON stock_movement (product_id)",
    """
    CREATE TABLE invoice_vat (
        invoice_id UUID NOT NULL,
        vat_pct INTEGER NOT NULL,
        net_minor BIGINT NOT NULL,
        vat_minor BIGINT NOT NULL,
        PRIMARY KEY (invoice_id, vat_pct),
        FOREIGN KEY(invoice_id) REFERENCES invoice (invoice_id)
    )
    """,
    """
    CREATE TABLE payment (
        payment_id UUID NOT NULL,
        reference VARCHAR NOT NULL,
        invoice_id UUID,
        amount_minor BIGINT NOT NULL,
        currency VARCHAR NOT NULL,
        paid_on DATE NOT NULL,
        external_id VARCHAR,
        state VARCHAR NOT NULL,
        reason VARCHAR NOT NULL,
        applied_minor BIGINT NOT NULL,
        credit_minor BIGINT NOT NULL,
        booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (payment_id),
        CONSTRAINT payment_amount CHECK (amount_minor > 0),
        CONSTRAINT payment_state CHECK (state IN ('booked', 'unmatched')),
        CONSTRAINT payment_matched CHECK ((state = 'booked') = (invoice_id IS NOT NULL)),
        CONSTRAINT payment_split CHECK (state = 'unmatched' OR applied_minor + credit_minor = amount_minor),
        FOREIGN KEY(invoice_id) REFERENCES invoice (invoice_id),
        UNIQUE (external_id)
    )
    """,
    "CREATE INDEX ix_payment_invoice_id ON payment (invoice_id)",
    "CREATE INDEX payment_waiting ON payment (payment_id) WHERE state = 'unmatched'",
    # What has moved and what is booked is never changed: for everybody, the owner included.
    """
    CREATE FUNCTION orders_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    *(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION orders_is_append_only()
        """
        for table in ("stock_movement", "ledger_transaction", "posting")
    ),
    # Checked at the commit, when all sides of a transaction are there.
    """
    CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF EXISTS (
            SELECT FROM posting WHERE transaction_id = NEW.transaction_id
            GROUP BY currency HAVING sum(amount_minor) <> 0
        ) THEN
            RAISE EXCEPTION 'ledger transaction % does not balance', NEW.transaction_id
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER posting_balances AFTER INSERT ON posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances()
    """,
)

TABLES = (
    "code",
    "invoice_series",
    "ledger_transaction",
    "person",
    "product",
    "release",
    "response",
    "sales_order",
    "invoice",
    "order_line",
    "posting",
    "reservation",
    "stock_movement",
    "invoice_vat",
    "payment",
)


def upgrade() -> None:
    create_kit_tables()
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION ledger_balances")
    op.execute("DROP FUNCTION orders_is_append_only")
    op.execute("DROP SEQUENCE order_number")
    op.execute("DROP SEQUENCE kid_base")
    drop_kit_tables()
