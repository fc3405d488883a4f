"""Waves, partial shipments, parcels, returns of goods and of post."""

from alembic import op

revision = "0009"
down_revision = "0008"

ORDERS = (
    """
    -- The indexes are built in this transaction, on tables that are new; columns with defaults do not rewrite theirs,
    -- and the constraints that go are replaced by wider ones.
    -- squawk-ignore-file require-concurrent-index-creation, constraint-missing-not-valid, ban-drop-constraint
    ALTER TABLE sales_order
        ADD COLUMN delivered_at timestamptz,
        ADD COLUMN priority integer NOT NULL DEFAULT 0,
        ADD COLUMN pick_after timestamptz,
        DROP CONSTRAINT sales_order_state,
        DROP CONSTRAINT sales_order_shipped,
        ADD CONSTRAINT sales_order_state
            CHECK (state IN ('waiting', 'placed', 'picking', 'shipped', 'delivered', 'cancelled')),
        ADD CONSTRAINT sales_order_shipped
            CHECK ((state IN ('shipped', 'delivered')) = (shipped_at IS NOT NULL))
    """,
    """
    ALTER TABLE order_line
        ADD COLUMN shipped_quantity integer NOT NULL DEFAULT 0,
        ADD COLUMN cancelled_quantity integer NOT NULL DEFAULT 0,
        ADD CONSTRAINT order_line_left CHECK (shipped_quantity >= 0 AND cancelled_quantity >= 0
            AND shipped_quantity + cancelled_quantity <= quantity)
    """,
    """
    CREATE TABLE shipment (
        shipment_id  uuid PRIMARY KEY,
        order_id     uuid NOT NULL REFERENCES sales_order (order_id),
        number       varchar NOT NULL UNIQUE,
        invoice_id   uuid NOT NULL REFERENCES invoice (invoice_id),
        tracking     varchar NOT NULL,
        shipped_at   timestamptz NOT NULL,
        delivered_at timestamptz
    )
    """,
    "CREATE INDEX ix_shipment_order_id ON shipment (order_id)",
    """
    CREATE TABLE shipment_line (
        shipment_id       uuid REFERENCES shipment (shipment_id),
        line_no           integer,
        quantity          integer NOT NULL,
        returned_quantity integer NOT NULL,
        PRIMARY KEY (shipment_id, line_no),
        CONSTRAINT shipment_line_quantity CHECK (quantity > 0),
        CONSTRAINT shipment_line_returned CHECK (returned_quantity >= 0 AND returned_quantity <= quantity)
    )
    """,
    # What was shipped before shipments were kept left in one piece.
    """
    UPDATE order_line l SET shipped_quantity = l.quantity FROM sales_order o
    WHERE o.order_id = l.order_id AND o.state = 'shipped'
    """,
    """
    INSERT INTO shipment
    SELECT gen_random_uuid(), o.order_id, o.number || '-1', i.invoice_id, o.tracking, o.shipped_at, NULL
    FROM sales_order o JOIN invoice i ON i.order_id = o.order_id WHERE o.state = 'shipped'
    """,
    """
    INSERT INTO shipment_line
    SELECT s.shipment_id, l.line_no, l.quantity, 0 FROM shipment s JOIN order_line l ON l.order_id = s.order_id
    """,
)
WAVES = (
    "CREATE SEQUENCE wave_number START 1",
    """
    CREATE TABLE wave (
        wave_id   uuid PRIMARY KEY,
        number    integer NOT NULL UNIQUE,
        state     varchar NOT NULL,
        orders    integer NOT NULL,
        lines     integer NOT NULL,
        made_by   varchar NOT NULL,
        made_at   timestamptz NOT NULL,
        closed_at timestamptz,
        CONSTRAINT wave_state CHECK (state IN ('open', 'picked', 'cancelled')),
        CONSTRAINT wave_closed CHECK ((state = 'open') = (closed_at IS NULL))
    )
    """,
    """
    CREATE TABLE wave_order (
        wave_id  uuid REFERENCES wave (wave_id),
        order_id uuid REFERENCES sales_order (order_id),
        state    varchar NOT NULL,
        PRIMARY KEY (wave_id, order_id),
        CONSTRAINT wave_order_state CHECK (state IN ('picking', 'picked', 'done'))
    )
    """,
    "CREATE UNIQUE INDEX wave_order_once ON wave_order (order_id) WHERE state <> 'done'",
    """
    CREATE TABLE wave_line (
        wave_id     uuid,
        walk_no     integer,
        order_id    uuid NOT NULL,
        line_no     integer NOT NULL,
        product_id  uuid NOT NULL,
        place       varchar NOT NULL,
        sku         varchar NOT NULL,
        name        varchar NOT NULL,
        quantity    integer NOT NULL,
        picked      integer NOT NULL,
        state       varchar NOT NULL,
        taken_by    varchar NOT NULL,
        taken_until timestamptz,
        settled_at  timestamptz,
        PRIMARY KEY (wave_id, walk_no),
        FOREIGN KEY (wave_id, order_id) REFERENCES wave_order (wave_id, order_id),
        CONSTRAINT wave_line_state CHECK (state IN ('waiting', 'picked', 'short', 'released')),
        CONSTRAINT wave_line_picked CHECK (picked >= 0 AND picked <= quantity),
        CONSTRAINT wave_line_whole CHECK (state <> 'picked' OR picked = quantity)
    )
    """,
    "CREATE INDEX wave_line_waiting ON wave_line (wave_id, walk_no) WHERE state = 'waiting'",
    "CREATE INDEX wave_line_order ON wave_line (wave_id, order_id)",
)
PARCELS = (
    "CREATE SEQUENCE sscc_serial START 1",
    "CREATE SEQUENCE s10_serial MINVALUE 0 START 0",
    """
    CREATE TABLE parcel (
        parcel_id    uuid PRIMARY KEY,
        order_id     uuid NOT NULL REFERENCES sales_order (order_id),
        shipment_id  uuid REFERENCES shipment (shipment_id),
        position     integer NOT NULL,
        code         varchar NOT NULL UNIQUE,
        state        varchar NOT NULL,
        weight_grams integer NOT NULL,
        material     jsonb NOT NULL,
        carrier      varchar NOT NULL,
        service      varchar NOT NULL,
        booking      varchar NOT NULL,
        booking_note varchar NOT NULL,
        tracking     varchar NOT NULL,
        packed_at    timestamptz NOT NULL,
        delivered_at timestamptz,
        CONSTRAINT parcel_state CHECK (state IN ('packed', 'sent', 'delivered', 'returned')),
        CONSTRAINT parcel_booking CHECK (booking IN ('none', 'waiting', 'booked', 'refused', 'unclear')),
        CONSTRAINT parcel_sent CHECK ((state = 'packed') = (shipment_id IS NULL)),
        CONSTRAINT parcel_weight CHECK (weight_grams >= 0)
    )
    """,
    "CREATE INDEX parcel_order ON parcel (order_id)",
    "CREATE INDEX parcel_shipment ON parcel (shipment_id) WHERE shipment_id IS NOT NULL",
    "CREATE INDEX parcel_tracking ON parcel (tracking) WHERE tracking <> ''",
    "CREATE INDEX parcel_to_book ON parcel (parcel_id) WHERE booking = 'waiting'",
    """
    CREATE TABLE parcel_line (
        parcel_id uuid REFERENCES parcel (parcel_id) ON DELETE CASCADE,
        line_no   integer,
        quantity  integer NOT NULL,
        PRIMARY KEY (parcel_id, line_no),
        CONSTRAINT parcel_line_quantity CHECK (quantity > 0)
    )
    """,
)
RETURNS = (
    """
    CREATE TABLE goods_return (
        return_id     uuid PRIMARY KEY,
        order_id      uuid NOT NULL REFERENCES sales_order (order_id),
        number        varchar NOT NULL UNIQUE,
        state         varchar NOT NULL,
        is_withdrawal boolean NOT NULL,
        reason        varchar NOT NULL,
        deadline_on   date,
        announced_at  timestamptz NOT NULL,
        settled_at    timestamptz,
        refund_minor  bigint NOT NULL,
        credit_notes  jsonb NOT NULL,
        CONSTRAINT goods_return_state CHECK (state IN ('announced', 'received', 'cancelled')),
        CONSTRAINT goods_return_settled CHECK ((state = 'announced') = (settled_at IS NULL)),
        CONSTRAINT goods_return_refund CHECK (refund_minor >= 0)
    )
    """,
    "CREATE INDEX goods_return_order ON goods_return (order_id)",
    "CREATE INDEX goods_return_open ON goods_return (return_id) WHERE state = 'announced'",
    """
    CREATE TABLE goods_return_line (
        return_id uuid REFERENCES goods_return (return_id),
        line_no   integer,
        announced integer NOT NULL,
        restocked integer NOT NULL,
        scrapped  integer NOT NULL,
        PRIMARY KEY (return_id, line_no),
        CONSTRAINT goods_return_line_counts CHECK (announced >= 0 AND restocked >= 0 AND scrapped >= 0)
    )
    """,
)
POST = (
    """
    CREATE TABLE postal_return (
        return_id   uuid PRIMARY KEY,
        code        varchar NOT NULL UNIQUE,
        kind        varchar NOT NULL,
        reason      varchar NOT NULL,
        way         varchar NOT NULL,
        state       varchar NOT NULL,
        next_action varchar NOT NULL,
        person_id   uuid,
        merged_id   uuid,
        campaign_id uuid,
        order_id    uuid,
        new_address jsonb,
        cost_minor  bigint NOT NULL,
        came_at     timestamptz NOT NULL,
        noted_at    timestamptz NOT NULL,
        noted_by    varchar NOT NULL,
        done_at     timestamptz,
        CONSTRAINT postal_return_state CHECK (state IN ('unresolved', 'unknown', 'open', 'done'))
    )
    """,
    "CREATE INDEX postal_return_open ON postal_return (next_action, return_id) WHERE state = 'open'",
    "CREATE INDEX postal_return_person ON postal_return (person_id)",
    "CREATE INDEX postal_return_merged ON postal_return (merged_id) WHERE merged_id IS NOT NULL",
    "CREATE INDEX postal_return_came ON postal_return (came_at)",
    "CREATE TABLE post_mapping (name varchar PRIMARY KEY, version integer NOT NULL, mapping jsonb NOT NULL)",
    """
    CREATE TABLE post_file (
        digest   varchar PRIMARY KEY,
        mapping  varchar NOT NULL,
        result   jsonb NOT NULL,
        taken_at timestamptz NOT NULL
    )
    """,
)
TABLES = (
    "post_file",
    "post_mapping",
    "postal_return",
    "goods_return_line",
    "goods_return",
    "parcel_line",
    "parcel",
    "wave_line",
    "wave_order",
    "wave",
    "shipment_line",
    "shipment",
)


def upgrade() -> None:
    """Make the tables, and what was shipped before a shipment each."""
    for statement in (*ORDERS, *WAVES, *PARCELS, *RETURNS, *POST):
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables; what has arrived counts as shipped, what left in part as waiting."""
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP SEQUENCE wave_number, sscc_serial, s10_serial")
    op.execute("UPDATE sales_order SET state = 'shipped' WHERE state = 'delivered'")
    op.execute(
        """
        ALTER TABLE order_line DROP COLUMN shipped_quantity, DROP COLUMN cancelled_quantity
        """
    )
    op.execute(
        """
        ALTER TABLE sales_order
            DROP COLUMN delivered_at, DROP COLUMN priority, DROP COLUMN pick_after,
            DROP CONSTRAINT sales_order_state, DROP CONSTRAINT sales_order_shipped,
            ADD CONSTRAINT sales_order_state CHECK (state IN ('waiting', 'placed', 'picking', 'shipped', 'cancelled')),
            ADD CONSTRAINT sales_order_shipped CHECK ((state = 'shipped') = (shipped_at IS NOT NULL))
        """
    )
