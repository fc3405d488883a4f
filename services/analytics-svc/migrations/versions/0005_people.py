"""Roll-ups per buyer and day, per buyer, per cohort, and of the whole house; returns and post that came back."""

from alembic import op

revision = "0005"
down_revision = "0004"

_MORE = ("returned", "returned_minor", "came_back", "lost_minor")
_BOUGHT = (
    "responded", "ordered", "revenue_minor", "paid", "paid_minor", "received_minor", "returned", "returned_minor",
    "invoiced", "settled", "settled_late", "settled_days", "reminded",
)  # fmt: skip
_OF_MONTH = ("orders", "revenue_minor", "paid_minor", "returned_minor")


def _sums(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} bigint NOT NULL DEFAULT 0" for name in names)


_STEPS = (
    *(f"ALTER TABLE person_sum ADD COLUMN {name} bigint NOT NULL DEFAULT 0" for name in _MORE),
    # The deadline of an answer is known of the answer itself: what was late counts on the day on which it came in.
    """
    INSERT INTO fact AS f (kind, key, campaign_id, cell_id, person_id, merged_id, currency, label, channel, marks)
    SELECT 'response', key, campaign_id, cell_id, person_id, merged_id, currency, label, channel, marks
    FROM fact WHERE kind = 'deadline'
    ON CONFLICT (kind, key) DO UPDATE SET marks = f.marks || excluded.marks
    """,
    "DELETE FROM fact WHERE kind = 'deadline'",
    """
    CREATE TABLE house_tally (
        day      date NOT NULL,
        measure  text NOT NULL,
        label    text NOT NULL,
        currency text NOT NULL,
        value    bigint NOT NULL,
        PRIMARY KEY (measure, day, label, currency)
    )
    """,
    f"""
    CREATE TABLE buyer_day (
        person_id   uuid NOT NULL,
        day         date NOT NULL,
        campaign_id uuid NOT NULL,
        currency    text NOT NULL,
        {_sums(_BOUGHT)},
        PRIMARY KEY (person_id, day, campaign_id, currency)
    ) WITH (fillfactor = 80)
    """,
    f"""
    CREATE TABLE buyer (
        person_id uuid NOT NULL,
        currency  text NOT NULL,
        first_on  date NOT NULL DEFAULT '1970-01-01',
        last_on   date NOT NULL DEFAULT '1970-01-01',
        days      bigint NOT NULL DEFAULT 0,
        later_minor bigint NOT NULL DEFAULT 0,
        {_sums(_OF_MONTH)},
        PRIMARY KEY (person_id, currency)
    )
    """,
    f"""
    CREATE TABLE buyer_month (
        person_id uuid NOT NULL,
        currency  text NOT NULL,
        month     date NOT NULL,
        cohort    date NOT NULL,
        buyers    bigint NOT NULL DEFAULT 0,
        {_sums(_OF_MONTH)},
        PRIMARY KEY (person_id, currency, month)
    )
    """,
    f"""
    CREATE TABLE cohort_sum (
        currency text NOT NULL,
        cohort   date NOT NULL,
        month    date NOT NULL,
        buyers   bigint NOT NULL DEFAULT 0,
        {_sums(_OF_MONTH)},
        PRIMARY KEY (currency, cohort, month)
    )
    """,
    """
    CREATE TABLE repeat_sum (
        currency text NOT NULL,
        cohort   date NOT NULL,
        nth      integer NOT NULL,
        buyers   bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (currency, cohort, nth)
    )
    """,
    """
    CREATE TABLE survey_card (
        survey_id uuid PRIMARY KEY,
        name      text NOT NULL
    )
    """,
    # The report of leads reads sums from now on; the other new sums are made by a rebuild of the reports.
    """
    INSERT INTO house_tally (day, measure, label, currency, value)
    SELECT date '1970-01-01' + ((marks -> 'seen' ->> 1)::bigint / 86400000000)::int, 'leads', label, '', count(*)
    FROM fact WHERE kind = 'lead' AND marks ? 'seen' GROUP BY 1, 3
    """,
)


def upgrade() -> None:
    """Make the tables; a rebuild of the reports then fills them from the facts."""
    for statement in _STEPS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the roll-ups, and tell deadlines apart from answers again."""
    for table in (
        "survey_card", "repeat_sum", "cohort_sum", "buyer_month", "buyer", "buyer_day", "house_tally",
    ):  # fmt: skip
        op.execute(f"DROP TABLE {table}")
    op.execute(
        """
        INSERT INTO fact (kind, key, campaign_id, cell_id, person_id, merged_id, currency, label, channel, marks)
        SELECT 'deadline', key, campaign_id, cell_id, person_id, merged_id, currency, split_part(label, '/', 1), channel,
            marks - 'seen'
        FROM fact WHERE kind = 'response' AND marks ?| array['neared', 'missed']
        """
    )
    op.execute(
        "UPDATE fact SET marks = marks - 'neared' - 'missed' WHERE kind = 'response' AND marks ?| array['neared', 'missed']"
    )
    op.execute(
        "DELETE FROM tally WHERE measure IN ('returned', 'returned_minor', 'came_back', 'lost_minor')"
    )
    for name in _MORE:
        op.execute(f"ALTER TABLE person_sum DROP COLUMN {name}")
