"""Rates of VAT, prices with validity, variants and bundles, stock per place, waiting orders, packaging, recommendations."""

from alembic import op

revision = "0008"
down_revision = "0007"

RATES = ("product", "order_line", "invoice_vat")

# Sources: skatteetaten.no (NO), skatteverket.se (SE; food is at 6 % from 1 April 2026 to the end of 2027),
# skat.dk (DK), vero.fi (FI; 25.5 % since September 2024, the reduced rate is 13.5 % since January 2026); 2026-11.
VAT = (
    ("NO", "standard", "2005-01-01", "25"),
    ("NO", "food", "2013-01-01", "15"),
    ("NO", "travel", "2018-01-01", "12"),
    ("NO", "books", "1970-01-01", "0"),
    ("NO", "periodicals", "1970-01-01", "0"),
    ("SE", "standard", "1990-07-01", "25"),
    ("SE", "food", "1996-01-01", "12"),
    ("SE", "food", "2026-04-01", "6"),
    ("SE", "food", "2028-01-01", "12"),
    ("SE", "travel", "2007-01-01", "6"),
    ("SE", "books", "2002-01-01", "6"),
    ("SE", "periodicals", "2002-01-01", "6"),
    ("DK", "standard", "1992-01-01", "25"),
    ("FI", "standard", "2013-01-01", "24"),
    ("FI", "standard", "2024-09-01", "25.5"),
    ("FI", "food", "2013-01-01", "14"),
    ("FI", "food", "2026-01-01", "13.5"),
    ("FI", "travel", "2013-01-01", "10"),
    ("FI", "travel", "2025-01-01", "14"),
    ("FI", "travel", "2026-01-01", "13.5"),
    ("FI", "books", "2013-01-01", "10"),
    ("FI", "books", "2025-01-01", "14"),
    ("FI", "books", "2026-01-01", "13.5"),
    ("FI", "periodicals", "2013-01-01", "10"),
)

UP = (
    """
    ALTER TABLE product
        ADD COLUMN kind text NOT NULL DEFAULT 'goods',
        ADD COLUMN variant_of uuid REFERENCES product (product_id),
        ADD COLUMN attributes jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN vat_class text NOT NULL DEFAULT 'fixed',
        ADD COLUMN has_prices boolean NOT NULL DEFAULT false,
        ADD COLUMN is_part boolean NOT NULL DEFAULT false,
        ADD COLUMN awaited integer NOT NULL DEFAULT 0,
        ADD COLUMN lead_days integer,
        ADD COLUMN min_stock integer NOT NULL DEFAULT 0,
        ADD COLUMN order_multiple integer NOT NULL DEFAULT 1,
        ADD CONSTRAINT product_kind CHECK (kind IN ('goods', 'material', 'family', 'bundle')),
        ADD CONSTRAINT product_without_stock CHECK (kind IN ('goods', 'material') OR (on_hand = 0 AND awaited = 0)),
        ADD CONSTRAINT product_awaited CHECK (awaited >= 0),
        ADD CONSTRAINT product_purchase CHECK (lead_days >= 0 AND min_stock >= 0 AND order_multiple > 0)
    """,
    "CREATE UNIQUE INDEX product_variant ON product (variant_of, attributes) WHERE variant_of IS NOT NULL",
    "CREATE INDEX product_awaited ON product (product_id) WHERE awaited > 0",
    """
    CREATE TABLE vat_rate (
        country    text,
        vat_class  text,
        valid_from date,
        vat_pct    numeric(5, 2) NOT NULL,
        PRIMARY KEY (country, vat_class, valid_from),
        CONSTRAINT vat_rate_pct CHECK (vat_pct BETWEEN 0 AND 100)
    )
    """,
    "INSERT INTO vat_rate (country, vat_class, valid_from, vat_pct) VALUES\n"
    + ",\n".join(f"('{country}', '{name}', '{since}', {pct})" for country, name, since, pct in VAT),
    """
    CREATE TABLE price (
        product_id  uuid REFERENCES product (product_id),
        currency    text,
        valid_from  date,
        valid_until date,
        price_minor integer NOT NULL,
        PRIMARY KEY (product_id, currency, valid_from),
        CONSTRAINT price_amount CHECK (price_minor >= 0),
        CONSTRAINT price_validity CHECK (valid_until >= valid_from)
    )
    """,
    """
    CREATE TABLE bundle_part (
        bundle_id  uuid REFERENCES product (product_id),
        product_id uuid REFERENCES product (product_id),
        quantity   integer NOT NULL,
        PRIMARY KEY (bundle_id, product_id),
        CONSTRAINT bundle_part_quantity CHECK (quantity > 0),
        CONSTRAINT bundle_part_other CHECK (bundle_id <> product_id)
    )
    """,
    "CREATE INDEX bundle_part_product ON bundle_part (product_id)",
    """
    CREATE TABLE substitute (
        product_id    uuid REFERENCES product (product_id),
        substitute_id uuid REFERENCES product (product_id),
        rank          integer NOT NULL,
        PRIMARY KEY (product_id, substitute_id),
        CONSTRAINT substitute_other CHECK (product_id <> substitute_id)
    )
    """,
    # Stock per place follows the movements, whoever writes them: the ledger and the shelves cannot differ.
    """
    CREATE TABLE stock (
        product_id uuid REFERENCES product (product_id),
        place      text,
        on_hand    integer NOT NULL,
        PRIMARY KEY (product_id, place),
        CONSTRAINT stock_on_hand CHECK (on_hand >= 0)
    )
    """,
    "INSERT INTO stock (product_id, place, on_hand) SELECT product_id, 'MAIN', on_hand FROM product WHERE on_hand > 0",
    "ALTER TABLE stock_movement ADD COLUMN place text DEFAULT 'MAIN'",
    "ALTER TABLE stock_movement ALTER COLUMN place DROP DEFAULT",
    """
    CREATE FUNCTION stock_follows() RETURNS trigger LANGUAGE plpgsql AS
    $$ DECLARE
        fullest record;
        rest integer := 0;
    BEGIN
        IF NEW.place IS NULL AND NEW.quantity < 0 THEN
            -- From one place when one has enough, and from the fullest first when none has.
            SELECT place, on_hand INTO fullest FROM stock WHERE product_id = NEW.product_id AND on_hand > 0
            ORDER BY (on_hand >= -NEW.quantity) DESC, on_hand DESC, place LIMIT 1 FOR UPDATE;
            NEW.place := fullest.place;
            IF fullest.on_hand < -NEW.quantity THEN
                rest := NEW.quantity + fullest.on_hand;
                NEW.quantity := -fullest.on_hand;
            END IF;
        ELSIF NEW.place IS NULL THEN
            SELECT place INTO fullest FROM stock WHERE product_id = NEW.product_id ORDER BY on_hand DESC, place LIMIT 1;
            NEW.place := fullest.place;
        END IF;
        NEW.place := coalesce(NEW.place, 'MAIN');
        UPDATE stock SET on_hand = on_hand + NEW.quantity WHERE product_id = NEW.product_id AND place = NEW.place;
        IF NOT FOUND THEN
            INSERT INTO stock (product_id, place, on_hand) VALUES (NEW.product_id, NEW.place, NEW.quantity);
        END IF;
        IF rest < 0 THEN
            INSERT INTO stock_movement (movement_id, product_id, quantity, reason, order_id, moved_at)
            VALUES (gen_random_uuid(), NEW.product_id, rest, NEW.reason, NEW.order_id, NEW.moved_at);
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER stock_movement_place BEFORE INSERT ON stock_movement
    FOR EACH ROW EXECUTE FUNCTION stock_follows()
    """,
    """
    CREATE TABLE incoming (
        delivery_id uuid PRIMARY KEY,
        product_id  uuid NOT NULL REFERENCES product (product_id),
        quantity    integer NOT NULL,
        received    integer NOT NULL DEFAULT 0,
        expected_on date NOT NULL,
        reference   text NOT NULL DEFAULT '',
        is_closed   boolean NOT NULL DEFAULT false,
        CONSTRAINT incoming_quantity CHECK (quantity > 0),
        CONSTRAINT incoming_received CHECK (received >= 0)
    )
    """,
    "CREATE INDEX incoming_open ON incoming (product_id, expected_on) WHERE NOT is_closed",
    """
    ALTER TABLE sales_order
        ADD COLUMN split_from uuid REFERENCES sales_order (order_id),
        ADD COLUMN promised_on date,
        ADD COLUMN external_id text,
        ADD COLUMN substitutes text NOT NULL DEFAULT 'never',
        DROP CONSTRAINT sales_order_state,
        ADD CONSTRAINT sales_order_state CHECK (state IN ('waiting', 'placed', 'picking', 'shipped', 'cancelled'))
    """,
    """
    ALTER TABLE reservation DROP CONSTRAINT reservation_state,
        ADD CONSTRAINT reservation_state CHECK (state IN ('waiting', 'held', 'consumed', 'released'))
    """,
    "CREATE INDEX reservation_waiting ON reservation (product_id) WHERE state = 'waiting'",
    "CREATE UNIQUE INDEX sales_order_external ON sales_order (external_id)",
    "CREATE INDEX sales_order_waiting ON sales_order (placed_at, order_id) WHERE state = 'waiting'",
    "CREATE INDEX sales_order_split ON sales_order (split_from) WHERE split_from IS NOT NULL",
    """
    ALTER TABLE order_line
        ADD COLUMN bundle_id uuid REFERENCES product (product_id),
        ADD COLUMN wanted_id uuid REFERENCES product (product_id)
    """,
    "CREATE INDEX order_line_product ON order_line (product_id)",
    """
    CREATE TABLE packing_rule (
        rule_id     uuid PRIMARY KEY,
        name        text NOT NULL,
        material_id uuid NOT NULL REFERENCES product (product_id),
        quantity    integer NOT NULL,
        per         text NOT NULL,
        pieces_per  integer NOT NULL DEFAULT 1,
        product_id  uuid REFERENCES product (product_id),
        countries   text[] NOT NULL DEFAULT '{}',
        campaign_id uuid,
        currency    text,
        min_minor   bigint,
        max_minor   bigint,
        min_pieces  integer,
        max_pieces  integer,
        valid_from  date,
        valid_until date,
        is_active   boolean NOT NULL DEFAULT true,
        CONSTRAINT packing_rule_quantity CHECK (quantity > 0 AND pieces_per > 0),
        CONSTRAINT packing_rule_per CHECK (per IN ('order', 'piece')),
        CONSTRAINT packing_rule_value CHECK ((min_minor IS NULL AND max_minor IS NULL) OR currency IS NOT NULL)
    )
    """,
    """
    CREATE TABLE packing (
        order_id    uuid REFERENCES sales_order (order_id),
        material_id uuid REFERENCES product (product_id),
        quantity    integer NOT NULL,
        short       integer NOT NULL DEFAULT 0,
        packed_at   timestamptz NOT NULL,
        PRIMARY KEY (order_id, material_id),
        CONSTRAINT packing_quantity CHECK (quantity >= 0 AND short >= 0)
    )
    """,
    "ALTER TABLE release ADD COLUMN pieces integer NOT NULL DEFAULT 0, ADD COLUMN expected_response_pct numeric(5, 2), ADD COLUMN released_at timestamptz",
    "CREATE INDEX response_back_order ON response (responded_at, response_id) WHERE next_step = 'back_order'",
    "CREATE TABLE basket (order_id uuid PRIMARY KEY)",
    """
    CREATE TABLE bought (
        person_id  uuid,
        product_id uuid REFERENCES product (product_id),
        PRIMARY KEY (person_id, product_id)
    )
    """,
    """
    CREATE TABLE buyers (
        product_id uuid PRIMARY KEY REFERENCES product (product_id),
        buyers     integer NOT NULL,
        CONSTRAINT buyers_positive CHECK (buyers >= 0)
    )
    """,
    """
    CREATE TABLE bought_together (
        product_id uuid REFERENCES product (product_id),
        other_id   uuid REFERENCES product (product_id),
        buyers     integer NOT NULL,
        PRIMARY KEY (product_id, other_id),
        CONSTRAINT bought_together_other CHECK (product_id <> other_id)
    )
    """,
    """
    CREATE TABLE recommendation (
        product_id uuid PRIMARY KEY REFERENCES product (product_id),
        version    integer NOT NULL,
        also       jsonb NOT NULL
    )
    """,
)

DOWN = (
    "DROP TABLE recommendation, bought_together, buyers, bought, basket, packing, packing_rule, incoming",
    "ALTER TABLE release DROP COLUMN pieces, DROP COLUMN expected_response_pct, DROP COLUMN released_at",
    "DROP INDEX order_line_product, response_back_order",
    "ALTER TABLE order_line DROP COLUMN bundle_id, DROP COLUMN wanted_id",
    """
    ALTER TABLE sales_order
        DROP COLUMN split_from, DROP COLUMN promised_on, DROP COLUMN external_id, DROP COLUMN substitutes,
        DROP CONSTRAINT sales_order_state,
        ADD CONSTRAINT sales_order_state CHECK (state IN ('placed', 'picking', 'shipped', 'cancelled'))
    """,
    "DROP INDEX reservation_waiting",
    """
    ALTER TABLE reservation DROP CONSTRAINT reservation_state,
        ADD CONSTRAINT reservation_state CHECK (state IN ('held', 'consumed', 'released'))
    """,
    "DROP TRIGGER stock_movement_place ON stock_movement",
    "DROP FUNCTION stock_follows",
    "ALTER TABLE stock_movement DROP COLUMN place",
    "DROP TABLE stock, substitute, bundle_part, price, vat_rate",
    """
    ALTER TABLE product
        DROP COLUMN kind, DROP COLUMN variant_of, DROP COLUMN attributes, DROP COLUMN vat_class, DROP COLUMN has_prices,
        DROP COLUMN is_part, DROP COLUMN awaited, DROP COLUMN lead_days, DROP COLUMN min_stock, DROP COLUMN order_multiple
    """,
)


def upgrade() -> None:
    """Let a rate have hundredths of a per cent, and make what the catalogue and the orders need."""
    for table in RATES:
        op.execute(
            f"""
            -- Every row is written anew, and indexes and constraints are made in this transaction: a release waits for
            -- them while nobody orders. The version that runs reads a rate as a number of either kind.
            -- squawk-ignore-file changing-column-type, require-concurrent-index-creation, constraint-missing-not-valid
            -- squawk-ignore-file adding-foreign-key-constraint, ban-drop-constraint, ban-drop-default
            ALTER TABLE {table} ALTER COLUMN vat_pct TYPE numeric(5, 2)
            """
        )
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Take it away again; rates are rounded."""
    for statement in DOWN:
        op.execute(statement)
    for table in reversed(RATES):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN vat_pct TYPE integer")
