"""The statements that ask the facts themselves, and that make of facts what a copy of them is given."""

# ruff: noqa: S608 - statements are put together from constants of this file and of the rules

from analytics_svc.facts.rules import KEYED_MOVES, MOVES
from analytics_svc.questions.schemas import MOST_LINES, Dimension, Question

_EPOCH = "date '1970-01-01'"
_MONTH = "date_trunc('month', day::timestamp)::date"


def asked(question: Question) -> str:
    """Return the statement that answers a question; `:kinds`, `:measures`, `:since`, `:until` and what it narrows are bound."""
    which = " AND x.kind = ANY(:kinds)"
    if question.campaign_id is not None:
        which += " AND x.campaign_id = :campaign_id"
    if question.channel is not None:
        which += " AND x.channel = :channel"
    parts = "".join(
        f"{_MONTH if part is Dimension.MONTH else part.value} AS {part.value}, "
        for part in question.parts
    )
    narrowed = " AND currency = :currency" if question.currency is not None else ""
    places = ", ".join(str(place + 1) for place in range(len(question.parts) + 2))
    return f"""
        SELECT {parts}measure, currency, sum(value)::bigint AS value, count(DISTINCT person_id) AS people
        FROM ({MOVES.format(facts="fact", sign="", which=which)}) AS m
        WHERE measure = ANY(:measures) AND day BETWEEN :since AND :until{narrowed}
        GROUP BY {places} HAVING sum(value) <> 0 LIMIT {MOST_LINES + 1}"""


_LISTS = ("measure", "day", "month", "currency", "label", "value")
_ADDED = "".join(f", 'moves.{name}', coalesce(a.{name}, '[]')" for name in _LISTS)
ROWS = f"""
    WITH wanted AS MATERIALIZED (
        SELECT f.* FROM fact AS f
        JOIN (SELECT DISTINCT kind, key FROM unnest($1::text[], $2::uuid[]) AS t (kind, key)) AS t
            ON f.kind = t.kind AND f.key = t.key
    ),
    added AS (
        SELECT fact_kind, key, json_agg(measure) AS measure, json_agg(day - {_EPOCH}) AS day,
            json_agg({_MONTH} - {_EPOCH}) AS month, json_agg(currency) AS currency, json_agg(label) AS label,
            json_agg(value) AS value
        FROM ({KEYED_MOVES.format(facts="wanted", sign="", which="")}) AS m GROUP BY fact_kind, key
    )
    SELECT json_build_object('kind', w.kind, 'key', w.key, 'version', $3::bigint,
        'born', least(coalesce(uuid_extract_timestamp(w.key)::date, {_EPOCH}), date '2149-01-01'),
        'campaign_id', w.campaign_id, 'cell_id', w.cell_id, 'person_id', w.person_id, 'channel', w.channel{_ADDED})::text AS line
    FROM wanted AS w LEFT JOIN added AS a ON a.fact_kind = w.kind AND a.key = w.key
    """
"""Facts ($1 kinds, $2 keys, in pairs) as they stand, each a JSON object with its version ($3) and, as lists, what it adds.

Days and months are counted from 1970, because no type of days of ClickHouse goes beyond the year 2299.
"""

TAKE_NEWS = """
    DELETE FROM fact_news WHERE position IN (SELECT position FROM fact_news ORDER BY position LIMIT $1)
    RETURNING kind, key
    """
NEXT_PAGE = """
    SELECT kind, key FROM fact WHERE (kind, key) > ($1, $2) ORDER BY kind, key LIMIT $3
    """
TAKE_TURN = "SELECT pg_try_advisory_xact_lock($1) AS mine"
WAIT_FOR_TURN = "SELECT pg_advisory_xact_lock($1)"
NEXT_VERSION = "SELECT nextval('fact_copy_version') AS version"
LAST_VERSION = (
    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS version FROM fact_copy_version"
)
HOLD_FACTS = "LOCK TABLE fact IN SHARE ROW EXCLUSIVE MODE"
"""Waits for everybody who writes facts: whoever comes after sees that there is a copy, and tells of changes."""
