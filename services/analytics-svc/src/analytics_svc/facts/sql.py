"""The statements by which facts are kept and counted. The rules of counting stand here, and in `rules` what a fact counts.

A mark is `[rank, moment, amount]`, the moment in microseconds since 1970. Of two accounts of one mark the greater holds, as
PostgreSQL orders jsonb: element by element. So an account that comes late, twice or out of order ends in the same fact. What
a fact adds to the roll-ups is a function of it alone, so that each change moves them by the difference, and a rebuild gives
the same numbers.
"""

# ruff: noqa: S608 - statements are put together from constants of this file and of `rules`

from analytics_svc.facts.model import BOUGHT, HOUSE, LABELLED, PURCHASE, Measure
from analytics_svc.facts.rules import COUNTED, MOVES, NOTHING, OF_BUYERS, OF_HOUSE

_MEASURES = tuple(measure.value for measure in Measure)


def _named(names: tuple[str, ...]) -> str:
    return f"measure IN ({', '.join(repr(name) for name in names)})"


_TALLY = ("campaign_id", "cell_id", "channel", "day", "measure", "currency")
_PERSON = ("person_id", "channel", "currency")
_DAY = ("person_id", "day", "campaign_id", "currency")
_HOUSE = ("measure", "day", "label", "currency")


def _sums(change: str) -> str:
    """Return what changes add up to per campaign and day, in the order of the key.

    So two recorders wait for each other, not in a ring. What has a label counts once as it is, and once with its label.
    """
    names = ", ".join(_TALLY)
    labelled = (
        f"CASE WHEN is_labelled THEN measure || '{LABELLED}' || label ELSE measure END AS measure"
    )
    return f"""SELECT {names.replace("measure", labelled)}, sum(value)::bigint AS value FROM {change}
        JOIN (VALUES (false), (true)) AS t (is_labelled) ON NOT is_labelled OR measure = 'responded'
        WHERE campaign_id IS NOT NULL AND {_named(_MEASURES)}
        GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(value) <> 0 ORDER BY {names}"""


def _house_sums(change: str) -> str:
    """Return what changes add up to for the whole house, per day and label, in the order of the key."""
    names = ", ".join(_HOUSE)
    return f"""SELECT {names}, sum(value)::bigint AS value FROM {change} WHERE {_named(HOUSE)}
        GROUP BY {names} HAVING sum(value) <> 0 ORDER BY {names}"""


def _wide(measures: tuple[str, ...]) -> str:
    return ", ".join(
        f"coalesce(sum(value) FILTER (WHERE measure = '{one}'), 0)::bigint AS {one}"
        for one in measures
    )


def _person_sums(change: str) -> str:
    """Return what changes add up to per person, all measures in one row, in the order of the key."""
    return f"""SELECT person_id, channel, fact_currency AS currency, {_wide(_MEASURES)} FROM {change}
        WHERE person_id IS NOT NULL AND {_named(_MEASURES)} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def _day_sums(change: str) -> str:
    """Return what changes add up to per person, day and campaign, of what people answered, bought and paid."""
    return f"""SELECT person_id, day, coalesce(campaign_id, {NOTHING}) AS campaign_id, fact_currency AS currency,
            {_wide(BOUGHT)}
        FROM {change} WHERE person_id IS NOT NULL AND {_named(BOUGHT)} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""


def put(table: str, keys: tuple[str, ...], values: tuple[str, ...], rows: str, new: str) -> str:
    """Return a statement that puts sums into a roll-up; `new` is what becomes of a `{value}` that is there."""
    return f"""INSERT INTO {table} ({", ".join((*keys, *values))}) {rows}
        ON CONFLICT ({", ".join(keys)}) DO UPDATE SET {", ".join(f"{one} = {new.format(value=one)}" for one in values)}"""


def add(table: str, keys: tuple[str, ...], values: tuple[str, ...], rows: str) -> str:
    """Return a statement that adds sums to a roll-up."""
    return put(table, keys, values, rows, f"{table}.{{value}} + excluded.{{value}}")


def _add_persons(change: str) -> str:
    return add("person_sum", _PERSON, _MEASURES, _person_sums(change))


def _add_days(change: str) -> str:
    return add("buyer_day", _DAY, BOUGHT, _day_sums(change))


def _counting(moved: str) -> str:
    """Return a statement that moves the roll-ups by what `moved` changes: an INSERT or UPDATE of `fact AS f`.

    It returns the buyers, by person and currency, whose purchases it has changed.
    """
    both = ", ".join(f"o.{name} AS o_{name}, n.{name} AS n_{name}" for name in COUNTED)
    before, after = (
        f"(SELECT {', '.join(f'{side}_{name} AS {name}' for name in COUNTED)} FROM moved"
        f" WHERE {side}_kind IS NOT NULL)"
        for side in "on"
    )
    return f"""
    WITH moved AS ({moved} RETURNING WITH (OLD AS o, NEW AS n) {both}),
    change AS MATERIALIZED (
        {MOVES.format(facts=before, sign="-", which="")} UNION ALL {MOVES.format(facts=after, sign="", which="")}
    ),
    people AS ({_add_persons("change")}),
    house AS ({add("house_tally", _HOUSE, ("value",), _house_sums("change"))}),
    days AS ({_add_days("change")}),
    tallied AS ({add("tally", _TALLY, ("value",), _sums("change"))})
    SELECT DISTINCT person_id, currency FROM (
        SELECT person_id, fact_currency AS currency FROM change WHERE person_id IS NOT NULL AND {_named(PURCHASE)}
        GROUP BY person_id, fact_currency, day, measure HAVING sum(value) <> 0
    ) AS buyers"""


_NEWER = """(excluded.person_id IS NOT NULL AND (f.person_id IS NULL OR excluded.person_id > f.person_id
        OR (excluded.person_id = f.person_id AND excluded.merged_id IS NOT NULL
            AND (f.merged_id IS NULL OR excluded.merged_id > f.merged_id))))"""

RECORD = _counting(
    f"""
    INSERT INTO fact AS f (kind, key, campaign_id, cell_id, person_id, merged_id, currency, label, channel, marks)
    SELECT kind, key, campaign_id, cell_id, person_id, merged_id, currency, label, channel, marks
    FROM jsonb_to_recordset($1::jsonb) AS said (kind text, key uuid, campaign_id uuid, cell_id uuid, person_id uuid,
        merged_id uuid, currency text, label text, channel text, marks jsonb)
    ORDER BY kind, key
    ON CONFLICT (kind, key) DO UPDATE SET
        campaign_id = greatest(f.campaign_id, excluded.campaign_id),
        cell_id = greatest(f.cell_id, excluded.cell_id),
        person_id = CASE WHEN {_NEWER} THEN excluded.person_id ELSE f.person_id END,
        merged_id = CASE WHEN {_NEWER} THEN excluded.merged_id ELSE f.merged_id END,
        currency = greatest(f.currency, excluded.currency),
        label = greatest(f.label, excluded.label),
        channel = greatest(f.channel, excluded.channel),
        marks = (SELECT coalesce(jsonb_object_agg(name, greatest(f.marks -> name, excluded.marks -> name)), '{{}}')
            FROM jsonb_object_keys(f.marks || excluded.marks) AS name)"""
)
"""Merge accounts ($1, each fact once) into the facts, and move the roll-ups by the difference."""

LOCK = """
    SELECT FROM fact f JOIN unnest($1::text[], $2::uuid[]) AS t (kind, key) ON f.kind = t.kind AND f.key = t.key
    ORDER BY f.kind, f.key FOR UPDATE OF f
    """

SETTLE_TWINS = _counting(
    """
    UPDATE fact AS f SET is_twin = t.is_twin
    FROM (
        SELECT kind, key, row_number() OVER (PARTITION BY kind, campaign_id, person_id
            ORDER BY marks -> 'seen' -> 1, key) > 1 AS is_twin
        FROM fact WHERE (kind, key) IN (SELECT * FROM unnest($1::text[], $2::uuid[]))
          AND campaign_id IS NOT NULL AND person_id IS NOT NULL
    ) AS t
    WHERE f.kind = t.kind AND f.key = t.key AND f.is_twin <> t.is_twin"""
)
"""Of what one person did under several ids (the facts of $1, $2; locked), the first in time counts."""

UNLINK_OLD = _counting(
    """
    UPDATE fact AS f SET person_id = NULL, merged_id = NULL
    WHERE (kind, key) IN (
        SELECT kind, key FROM fact
        WHERE person_id IS NOT NULL AND campaign_id IN (SELECT campaign_id FROM campaign_card WHERE launched_at < $1)
        LIMIT $2 FOR UPDATE SKIP LOCKED)"""
)
"""Take the person out of facts of campaigns that were launched before $1, at most $2 of them."""

SETTLE_PERMISSIONS = _counting(
    """
    UPDATE fact AS f SET is_twin = f.merged_id IS NOT NULL
    WHERE f.kind = 'permission' AND (f.person_id = ANY($1::uuid[]) OR f.merged_id = ANY($1::uuid[]))
      AND f.is_twin <> (f.merged_id IS NOT NULL)"""
)
"""What a record allowed that is part of another now ($1) counts no more: the known one's own permissions hold."""

DROP_PERMISSIONS = _counting(
    "UPDATE fact AS f SET is_twin = true WHERE f.kind = 'permission' AND f.person_id = ANY($1::uuid[]) AND NOT f.is_twin"
)
"""Nobody is on a list any more who is forgotten ($1)."""

_OF = MOVES.format(facts="fact", sign="", which=" AND x.person_id = ANY($1::uuid[])")
DROP_PERSONS = (
    "DELETE FROM person_sum WHERE person_id = ANY($1::uuid[])",
    "DELETE FROM buyer_day WHERE person_id = ANY($1::uuid[])",
)
COUNT_PERSONS = (_add_persons(f"({_OF}) AS change"), _add_days(f"({_OF}) AS change"))
"""Count persons ($1) whose sums were dropped before."""

_BLANKS = {"first_on": "date '1970-01-01'", "last_on": "date '1970-01-01'", "cohort": "date '1970-01-01'"}  # fmt: skip


def _blank(column: str) -> str:
    return _BLANKS.get(column, "0")


def rebuilt(table: str, keys: tuple[str, ...], values: tuple[str, ...], whole: str) -> str:
    """Return a statement that makes a roll-up anew from `whole`, and returns how many of its rows were wrong."""
    is_same = " AND ".join(f"{{}}.{name} = t.{name}" for name in keys)
    new, held = (
        f"ROW({', '.join(f'coalesce({of}.{one}, {_blank(one)})' for one in values)})"
        for of in ("w", "t")
    )
    changed = f"""SELECT {", ".join((*keys, *values))} FROM wrong WHERE {values[0]} IS NOT NULL"""
    return f"""
    WITH whole AS MATERIALIZED ({whole}),
    wrong AS MATERIALIZED (
        SELECT {", ".join(f"coalesce(w.{name}, t.{name}) AS {name}" for name in keys)},
            {", ".join(f"w.{one}" for one in values)}
        FROM whole w FULL JOIN {table} t ON {is_same.replace("{}", "w")}
        WHERE {new} <> {held}
    ),
    gone AS (DELETE FROM {table} t USING wrong WHERE wrong.{values[0]} IS NULL AND {is_same.replace("{}", "wrong")}),
    put AS ({put(table, keys, values, changed, "excluded.{value}")})
    SELECT count(*) AS numbers FROM wrong"""


def _all(which: str = "") -> str:
    return f"({MOVES.format(facts='fact', sign='', which=which)}) AS change"


REBUILD = (
    rebuilt("tally", _TALLY, ("value",), _sums(_all())),
    rebuilt("person_sum", _PERSON, _MEASURES, _person_sums(_all())),
    rebuilt("house_tally", _HOUSE, ("value",), _house_sums(_all(OF_HOUSE))),
    rebuilt("buyer_day", _DAY, BOUGHT, _day_sums(_all(OF_BUYERS))),
)
"""Make what facts add up to anew from them."""
