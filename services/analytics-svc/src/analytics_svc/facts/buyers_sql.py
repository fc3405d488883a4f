"""The statements by which buyers, cohorts and repeat purchases follow from what people bought on which day.

What a buyer adds to the cohorts is a function of all their days: it is taken out, worked out anew and put in again, for the
buyers of a batch at once. `$1` and `$2` are persons and currencies, in pairs.
"""

# ruff: noqa: S608 - statements are put together from constants of this file

from analytics_svc.facts.model import MOST_NTH
from analytics_svc.facts.sql import add, rebuilt

_OF_MONTH = ("orders", "revenue_minor", "paid_minor", "returned_minor")
_PAIRS = "unnest($1::uuid[], $2::text[]) AS t (person_id, currency)"
_BUYER, _BUYER_VALUES = ("person_id", "currency"), ("first_on", "last_on", "days", "later_minor", *_OF_MONTH)  # fmt: skip
_MONTH, _MONTH_VALUES = ("person_id", "currency", "month"), ("cohort", "buyers", *_OF_MONTH)
_COHORT, _COHORT_VALUES = ("currency", "cohort", "month"), ("buyers", *_OF_MONTH)
_REPEAT = ("currency", "cohort", "nth")

_DAYS = """
    SELECT t.person_id, t.currency, d.day, coalesce(sum(d.ordered), 0) AS orders,
        coalesce(sum(d.revenue_minor), 0) AS revenue_minor, coalesce(sum(d.paid_minor), 0) AS paid_minor,
        coalesce(sum(d.returned_minor), 0) AS returned_minor,
        min(CASE WHEN sum(d.ordered) > 0 THEN d.day END) OVER (PARTITION BY t.person_id, t.currency) AS first_on
    FROM {of} LEFT JOIN buyer_day AS d ON d.person_id = t.person_id AND d.currency = t.currency
    GROUP BY t.person_id, t.currency, d.day"""
_SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in _OF_MONTH)


def _buyers(of: str) -> str:
    return f"""SELECT person_id, currency, coalesce(max(first_on), '1970-01-01') AS first_on,
        coalesce(max(day) FILTER (WHERE orders > 0), '1970-01-01') AS last_on,
        count(*) FILTER (WHERE orders > 0) AS days,
        coalesce(sum(revenue_minor) FILTER (WHERE orders > 0 AND day > first_on), 0)::bigint AS later_minor, {_SUMS}
    FROM ({_DAYS.format(of=of)}) AS d GROUP BY person_id, currency"""


def _months(of: str) -> str:
    return f"""SELECT person_id, currency, date_trunc('month', day)::date AS month,
        date_trunc('month', first_on)::date AS cohort, (sum(orders) > 0)::int::bigint AS buyers, {_SUMS}
    FROM ({_DAYS.format(of=of)}) AS d WHERE first_on IS NOT NULL
    GROUP BY person_id, currency, date_trunc('month', day), first_on"""


def _repeats(buyers: str, sign: str = "") -> str:
    return f"""SELECT currency, date_trunc('month', first_on)::date AS cohort, nth, {sign}count(*) AS buyers
        FROM {buyers}, LATERAL generate_series(1, least(orders, {MOST_NTH})::int) AS nth
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def _cohorts(months: str, sign: str = "") -> str:
    sums = ", ".join(f"({sign}sum({name}))::bigint AS {name}" for name in _COHORT_VALUES)
    return f"SELECT currency, cohort, month, {sums} FROM {months} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"


LOCK = """
    INSERT INTO buyer (person_id, currency)
    SELECT * FROM unnest($1::uuid[], $2::text[]) AS t (person_id, currency) ORDER BY 1, 2
    ON CONFLICT (person_id, currency) DO UPDATE SET days = buyer.days
    """
"""Let nobody else work on these buyers until this transaction ends."""

TAKE_OUT = f"""
    WITH held AS (SELECT b.* FROM buyer b JOIN {_PAIRS} USING (person_id, currency)),
    gone AS (
        DELETE FROM buyer_month m USING {_PAIRS}
        WHERE m.person_id = t.person_id AND m.currency = t.currency RETURNING m.*
    ),
    repeated AS ({add("repeat_sum", _REPEAT, ("buyers",), _repeats("held", "-"))})
    {add("cohort_sum", _COHORT, _COHORT_VALUES, _cohorts("gone", "-"))}"""

PUT_IN = f"""
    WITH known AS (
        UPDATE buyer AS b SET {", ".join(f"{name} = n.{name}" for name in _BUYER_VALUES)}
        FROM ({_buyers(_PAIRS)}) AS n
        WHERE b.person_id = n.person_id AND b.currency = n.currency RETURNING b.*
    ),
    months AS (
        INSERT INTO buyer_month ({", ".join((*_MONTH, *_MONTH_VALUES))}) {_months(_PAIRS)} RETURNING *
    ),
    repeated AS ({add("repeat_sum", _REPEAT, ("buyers",), _repeats("known"))})
    {add("cohort_sum", _COHORT, _COHORT_VALUES, _cohorts("months"))}"""

FORGET = f"""
    DELETE FROM buyer b USING {_PAIRS}
    WHERE b.person_id = t.person_id AND b.currency = t.currency AND b.days = 0 AND b.orders = 0
    """
"""Who bought nothing is no buyer."""

PAIRS = """
    SELECT DISTINCT person_id, currency FROM (
        SELECT person_id, currency FROM buyer_day UNION ALL SELECT person_id, currency FROM buyer
    ) AS b WHERE person_id = ANY($1::uuid[])
    """
"""Under which currencies persons ($1) have bought."""

_ALL = "(SELECT DISTINCT person_id, currency FROM buyer_day WHERE ordered <> 0) AS t"
REBUILD = (
    rebuilt("buyer", _BUYER, _BUYER_VALUES, f"SELECT * FROM ({_buyers(_ALL)}) AS b WHERE days > 0"),
    rebuilt("buyer_month", _MONTH, _MONTH_VALUES, _months(_ALL)),
    rebuilt("cohort_sum", _COHORT, _COHORT_VALUES, _cohorts("buyer_month")),
    rebuilt("repeat_sum", _REPEAT, ("buyers",), _repeats("buyer")),
)
"""Make what follows from the days anew from them."""
