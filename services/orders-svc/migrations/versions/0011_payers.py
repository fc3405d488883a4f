"""Payments by file and back, claims beside the invoice, dunning by clock, agencies, credit limits and instalments."""

from alembic import op

revision = "0011"
down_revision = "0010"

ACCOUNTS = ("receivables", "revenue", "vat", "bank", "customer_credit", "unmatched")
MORE = (
    "claims",
    "fee_income",
    "interest_income",
    "exchange",
    "refunds",
    "agency",
    "agency_costs",
)

STATEMENTS = (
    """
    -- The tables are small where an index is built, and nobody writes payments while a release starts.
    -- squawk-ignore-file require-concurrent-index-creation, disallowed-unique-constraint
    -- squawk-ignore-file constraint-missing-not-valid, adding-foreign-key-constraint, ban-drop-constraint
    CREATE TABLE payment_file (
        file_id     uuid PRIMARY KEY,
        sha256      varchar NOT NULL UNIQUE,
        kind        varchar NOT NULL,
        message_id  varchar NOT NULL,
        state       varchar NOT NULL,
        entries     integer NOT NULL,
        booked      integer NOT NULL,
        held        integer NOT NULL,
        reversed    integer NOT NULL,
        duplicates  integer NOT NULL,
        skipped     integer NOT NULL,
        total_minor bigint NOT NULL,
        received_at timestamptz NOT NULL,
        done_at     timestamptz,
        CONSTRAINT payment_file_state CHECK (state IN ('reading', 'done')),
        CONSTRAINT payment_file_done CHECK ((state = 'done') = (done_at IS NOT NULL))
    )
    """,
    """
    CREATE TABLE payment_entry (
        file_id       uuid REFERENCES payment_file (file_id),
        entry_no      integer,
        external_id   varchar NOT NULL,
        account       varchar NOT NULL,
        reference     varchar NOT NULL,
        remittance    varchar NOT NULL,
        payer_name    varchar NOT NULL,
        payer_account varchar NOT NULL,
        amount_minor  bigint NOT NULL,
        currency      varchar NOT NULL,
        paid_on       date NOT NULL,
        is_reversal   boolean NOT NULL,
        PRIMARY KEY (file_id, entry_no),
        CONSTRAINT payment_entry_amount CHECK (amount_minor > 0)
    )
    """,
    """
    ALTER TABLE payment
        ADD COLUMN file_id uuid REFERENCES payment_file (file_id),
        ADD COLUMN account varchar NOT NULL DEFAULT '',
        ADD COLUMN remittance varchar NOT NULL DEFAULT '',
        ADD COLUMN payer_name varchar NOT NULL DEFAULT '',
        ADD COLUMN payer_account varchar NOT NULL DEFAULT '',
        ADD COLUMN person_id uuid,
        ADD COLUMN matched_by varchar NOT NULL DEFAULT '',
        ADD COLUMN principal_minor bigint NOT NULL DEFAULT 0,
        ADD COLUMN converted_minor bigint,
        ADD COLUMN rate numeric(20, 10),
        ADD COLUMN is_reversal boolean NOT NULL DEFAULT false,
        ADD COLUMN reverses_id uuid UNIQUE REFERENCES payment (payment_id),
        DROP CONSTRAINT payment_state,
        DROP CONSTRAINT payment_matched,
        DROP CONSTRAINT payment_split,
        ADD CONSTRAINT payment_state CHECK (state IN ('booked', 'unmatched', 'refunded', 'credited', 'reversed')),
        ADD CONSTRAINT payment_matched CHECK (state <> 'booked' OR is_reversal OR invoice_id IS NOT NULL),
        ADD CONSTRAINT payment_split CHECK (
            state <> 'booked' OR is_reversal OR applied_minor + credit_minor = coalesce(converted_minor, amount_minor)
        ),
        ADD CONSTRAINT payment_principal CHECK (principal_minor BETWEEN 0 AND applied_minor)
    """,
    "UPDATE payment SET principal_minor = applied_minor, matched_by = CASE state WHEN 'booked' THEN 'reference' ELSE '' END",
    "CREATE INDEX payment_file_id ON payment (file_id) WHERE file_id IS NOT NULL",
    "CREATE INDEX payment_reference ON payment (reference, amount_minor) WHERE NOT is_reversal",
    "CREATE INDEX payment_person ON payment (person_id) WHERE person_id IS NOT NULL",
    """
    CREATE INDEX invoice_open ON invoice (currency, (total_minor - (paid_minor + credited_minor)))
    WHERE paid_minor + credited_minor < total_minor
    """,
    """
    CREATE TABLE exchange_rate (
        base       varchar,
        quote      varchar,
        valid_from date,
        rate       numeric(20, 10) NOT NULL,
        PRIMARY KEY (base, quote, valid_from),
        CONSTRAINT exchange_rate_positive CHECK (rate > 0)
    )
    """,
    """
    CREATE TABLE claim (
        claim_id     uuid PRIMARY KEY,
        invoice_id   uuid NOT NULL REFERENCES invoice (invoice_id),
        kind         varchar NOT NULL,
        rank         integer NOT NULL,
        amount_minor bigint NOT NULL,
        paid_minor   bigint NOT NULL,
        waived_minor bigint NOT NULL,
        currency     varchar NOT NULL,
        claimed_on   date NOT NULL,
        why          varchar NOT NULL,
        CONSTRAINT claim_kind CHECK (kind IN ('fee', 'interest', 'compensation', 'instalment_fee')),
        CONSTRAINT claim_paid CHECK (paid_minor >= 0 AND waived_minor >= 0 AND paid_minor + waived_minor <= amount_minor)
    )
    """,
    "CREATE INDEX claim_invoice ON claim (invoice_id)",
    """
    CREATE TABLE claim_payment (
        payment_id   uuid REFERENCES payment (payment_id),
        claim_id     uuid REFERENCES claim (claim_id),
        amount_minor bigint NOT NULL,
        PRIMARY KEY (payment_id, claim_id),
        CONSTRAINT claim_payment_amount CHECK (amount_minor > 0)
    )
    """,
    """
    ALTER TABLE dunning_case
        ADD COLUMN resume_on date
    """,
    """
    ALTER TABLE dunning_step
        ADD COLUMN pay_by date,
        ADD COLUMN fee_minor bigint NOT NULL DEFAULT 0,
        ADD COLUMN interest_minor bigint NOT NULL DEFAULT 0,
        ADD COLUMN why varchar NOT NULL DEFAULT ''
    """,
    """
    CREATE TABLE law_rate (
        country    varchar,
        kind       varchar,
        valid_from date,
        pct        numeric(6, 3) NOT NULL,
        source     varchar NOT NULL,
        set_by     varchar NOT NULL,
        set_at     timestamptz NOT NULL,
        PRIMARY KEY (country, kind, valid_from),
        CONSTRAINT law_rate_pct CHECK (pct >= 0 AND pct < 100)
    )
    """,
    """
    CREATE TABLE agency_file (
        file_id uuid PRIMARY KEY,
        sha256  varchar UNIQUE,
        way     varchar NOT NULL,
        lines   integer NOT NULL,
        made_at timestamptz NOT NULL,
        CONSTRAINT agency_file_way CHECK (way IN ('out', 'in'))
    )
    """,
    """
    CREATE TABLE agency_line (
        file_id    uuid REFERENCES agency_file (file_id),
        line_no    integer,
        kind       varchar NOT NULL,
        key        varchar NOT NULL,
        invoice_id uuid NOT NULL REFERENCES invoice (invoice_id),
        payment_id uuid REFERENCES payment (payment_id),
        content    jsonb NOT NULL,
        PRIMARY KEY (file_id, line_no),
        UNIQUE (kind, key)
    )
    """,
    "CREATE INDEX agency_line_invoice ON agency_line (invoice_id)",
    """
    CREATE TABLE customer_terms (
        person_id          uuid PRIMARY KEY,
        debtor             varchar NOT NULL,
        credit_limit_minor bigint,
        currency           varchar NOT NULL,
        version            integer NOT NULL,
        set_by             varchar NOT NULL,
        set_at             timestamptz NOT NULL,
        CONSTRAINT customer_terms_debtor CHECK (debtor IN ('consumer', 'business')),
        CONSTRAINT customer_terms_limit CHECK (credit_limit_minor >= 0)
    )
    """,
    """
    CREATE TABLE credit_hold (
        order_id    uuid PRIMARY KEY REFERENCES sales_order (order_id),
        person_id   uuid NOT NULL,
        limit_minor bigint NOT NULL,
        owed_minor  bigint NOT NULL,
        amount_minor bigint NOT NULL,
        currency    varchar NOT NULL,
        held_at     timestamptz NOT NULL,
        released_at timestamptz,
        released_by varchar NOT NULL,
        reason      varchar NOT NULL
    )
    """,
    "CREATE INDEX credit_hold_open ON credit_hold (order_id) WHERE released_at IS NULL",
    """
    CREATE TABLE instalment_plan (
        plan_id    uuid PRIMARY KEY,
        invoice_id uuid NOT NULL REFERENCES invoice (invoice_id),
        state      varchar NOT NULL,
        open_before_minor bigint NOT NULL,
        made_at    timestamptz NOT NULL,
        ended_at   timestamptz,
        CONSTRAINT instalment_plan_state CHECK (state IN ('active', 'ended'))
    )
    """,
    "CREATE UNIQUE INDEX instalment_plan_one ON instalment_plan (invoice_id) WHERE state = 'active'",
    """
    CREATE TABLE instalment (
        plan_id      uuid REFERENCES instalment_plan (plan_id),
        number       integer,
        due_on       date NOT NULL,
        amount_minor bigint NOT NULL,
        PRIMARY KEY (plan_id, number),
        CONSTRAINT instalment_amount CHECK (amount_minor > 0)
    )
    """,
)


def _accounts(names: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{name}'" for name in names)
    op.execute("ALTER TABLE posting DROP CONSTRAINT posting_account")
    op.execute(f"ALTER TABLE posting ADD CONSTRAINT posting_account CHECK (account IN ({listed}))")


def upgrade() -> None:
    """Make them."""
    for statement in STATEMENTS:
        op.execute(statement)
    _accounts(ACCOUNTS + MORE)


def downgrade() -> None:
    """Take them back: payments that were held for good wait again, and what only the new tables knew is lost."""
    for table in (
        "instalment",
        "instalment_plan",
        "credit_hold",
        "customer_terms",
        "agency_line",
        "agency_file",
        "law_rate",
        "claim_payment",
        "claim",
        "exchange_rate",
        "payment_entry",
    ):
        op.execute(f"DROP TABLE {table}")
    op.execute(
        """
        ALTER TABLE dunning_step
            DROP COLUMN pay_by, DROP COLUMN fee_minor, DROP COLUMN interest_minor, DROP COLUMN why
        """
    )
    op.execute("ALTER TABLE dunning_case DROP COLUMN resume_on")
    op.execute("DROP INDEX invoice_open, payment_reference")
    op.execute("DELETE FROM payment WHERE is_reversal")
    op.execute(
        """
        UPDATE payment SET state = 'unmatched', invoice_id = NULL, applied_minor = 0, credit_minor = 0
        WHERE state <> 'booked' OR converted_minor IS NOT NULL
        """
    )
    op.execute(
        """
        ALTER TABLE payment
            DROP CONSTRAINT payment_state,
            DROP CONSTRAINT payment_matched,
            DROP CONSTRAINT payment_split,
            DROP CONSTRAINT payment_principal,
            DROP COLUMN file_id, DROP COLUMN account, DROP COLUMN remittance, DROP COLUMN payer_name,
            DROP COLUMN payer_account, DROP COLUMN person_id, DROP COLUMN matched_by, DROP COLUMN principal_minor,
            DROP COLUMN converted_minor, DROP COLUMN rate, DROP COLUMN is_reversal, DROP COLUMN reverses_id,
            ADD CONSTRAINT payment_state CHECK (state IN ('booked', 'unmatched')),
            ADD CONSTRAINT payment_matched CHECK ((state = 'booked') = (invoice_id IS NOT NULL)),
            ADD CONSTRAINT payment_split CHECK (state = 'unmatched' OR applied_minor + credit_minor = amount_minor)
        """
    )
    op.execute("DROP TABLE payment_file")
    # What is booked stays in the ledger, on accounts that the older release does not know.
    op.execute("ALTER TABLE posting DROP CONSTRAINT posting_account")
    listed = ", ".join(f"'{name}'" for name in ACCOUNTS)
    op.execute(
        f"ALTER TABLE posting ADD CONSTRAINT posting_account CHECK (account IN ({listed})) NOT VALID"
    )
