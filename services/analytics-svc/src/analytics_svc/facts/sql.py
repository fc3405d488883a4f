"""The statements by which facts are kept and counted. The rules of counting stand here and nowhere else.

A mark is `[rank, moment, amount]`, the moment in microseconds since 1970. Of two accounts of one mark the greater holds, as
PostgreSQL orders jsonb: element by element. So an account that comes late, twice or out of order ends in the same fact. What
a fact adds to the roll-ups is a function of it alone, so that each change moves them by the difference, and a rebuild gives
the same numbers.
"""

# ruff: noqa: S608 - statements are put together from constants of this file

from analytics_svc.facts.model import CREDITED, Measure

_RULES = (
    ("piece", "released", "planned", ""),
    ("piece", "accepted", "sent", ""),
    ("piece", "", "delivered", ""),
    ("piece", "", "failed", ""),
    ("piece", "", "suppressed", ""),
    ("piece", "", "expired", ""),
    ("piece", "", "in_doubt", ""),
    ("piece", "", "cost_minor", "released"),
    ("order", "placed", "ordered", ""),
    ("order", "placed", "revenue_minor", "placed"),
    ("order", "paid", "paid", ""),
    ("order", "paid", "paid_minor", "paid"),
    ("payment", "booked", "received_minor", "booked"),
    ("opening", "seen", "opened", ""),
    ("opener", "seen", "opened_persons", ""),
    ("click", "seen", "clicked", ""),
    ("clicker", "seen", "clicked_persons", ""),
    ("machine_click", "seen", "clicked_machine", ""),
    ("withdrawal", "seen", "unsubscribed", ""),
    ("response", "seen", "responded", ""),
    ("responder", "seen", "responded_persons", ""),
)
"""Kind of fact; its mark, from which it counts (empty: how a piece ended says so); what for; the mark of the amount that is
counted, of what is money. What was called off counts nothing."""

_ENDS = {
    "failed": "failed",
    "accepted": "delivered",
    "suppressed": "suppressed",
    "expired": "expired",
}
"""How a piece can end, and what that counts for; of two ends the later one holds, at the same moment the first of these."""

_NO_CELL = "'00000000-0000-0000-0000-000000000000'::uuid"
_COUNTED = (
    "kind",
    "campaign_id",
    "cell_id",
    "person_id",
    "currency",
    "channel",
    "marks",
    "is_twin",
)

_EARNED = (
    "CASE WHEN marks -> 'unpaid' -> 0 > marks -> 'paid' -> 0 THEN marks - 'paid' ELSE marks END"
)
"""The marks; without the one of payment when the bank took the money back after the order was paid for the last time."""

# Rules are joined as a table: a lateral list of values would be compiled anew for every fact (four times as long).
_MOVES = f"""
    SELECT campaign_id, coalesce(cell_id, {_NO_CELL}) AS cell_id, person_id, channel, measure,
        date '1970-01-01' + (at / 86400000000)::int AS day,
        CASE WHEN is_money THEN currency ELSE '' END AS currency, currency AS fact_currency, {{sign}}value AS value
    FROM (
        SELECT x.campaign_id, x.cell_id, x.person_id, x.channel, x.currency, r.measure, r.amount <> '' AS is_money,
            CASE WHEN r.amount = '' THEN 1 ELSE (x.marks -> r.amount ->> 2)::bigint END AS value,
            CASE WHEN r.mark <> '' THEN (x.marks -> r.mark ->> 1)::bigint
                WHEN r.measure = x.ending THEN x.ended
                -- What was handed over has cost its price; what is in doubt is taken as handed over until it is known.
                WHEN r.measure = 'cost_minor' AND x.accepted IS NOT NULL THEN x.accepted
                WHEN r.measure IN ('in_doubt', 'cost_minor') AND x.ended IS NULL THEN x.in_doubt END AS at
        FROM (
            SELECT x.*, CASE x.ended {" ".join(f"WHEN x.{end} THEN '{measure}'" for end, measure in _ENDS.items())} END AS ending
            FROM (
                SELECT x.*, greatest({", ".join(f"x.{end}" for end in _ENDS)}) AS ended
                FROM (
                    SELECT x.*, {", ".join(f"(x.piece -> '{name}' ->> 1)::bigint AS {name}" for name in (*_ENDS, "in_doubt"))}
                    FROM (
                        SELECT campaign_id, cell_id, person_id, channel, currency, kind, {_EARNED} AS marks,
                            CASE WHEN kind = 'piece' THEN marks END AS piece FROM {{facts}} AS x
                        WHERE campaign_id IS NOT NULL AND NOT is_twin AND (kind = 'piece' OR NOT marks ? 'cancelled'){{which}} OFFSET 0
                    ) AS x OFFSET 0
                ) AS x OFFSET 0
            ) AS x OFFSET 0
        ) AS x
        JOIN (VALUES {", ".join(f"{rule}" for rule in _RULES)}) AS r (kind, mark, measure, amount) ON r.kind = x.kind
        UNION ALL
        -- Of what was never paid, nothing can be taken back.
        SELECT x.campaign_id, x.cell_id, x.person_id, x.channel, x.currency, 'paid_minor', true, -(c.mark ->> 2)::bigint,
            greatest((x.marks -> 'paid' ->> 1)::bigint, (c.mark ->> 1)::bigint)
        FROM {{facts}} AS x, LATERAL jsonb_each(x.marks) AS c (name, mark)
        WHERE campaign_id IS NOT NULL AND NOT is_twin AND kind = 'order' AND {_EARNED} ? 'paid' AND NOT marks ? 'cancelled'
          AND starts_with(c.name, '{CREDITED}'){{which}}
        OFFSET 0
    ) AS x
    WHERE at IS NOT NULL AND value <> 0"""
"""What facts (x) add, one row per measure; nothing for those that belong to no campaign."""

_TALLY = ("campaign_id", "cell_id", "channel", "day", "measure", "currency")
_PERSON = ("person_id", "channel", "currency")
_MEASURES = tuple(measure.value for measure in Measure)


def _sums(change: str) -> str:
    """Return what changes add up to per campaign and day, in the order of the key.

    So two recorders wait for each other, not in a ring.
    """
    names = ", ".join(_TALLY)
    return f"""SELECT {names}, sum(value)::bigint AS value FROM {change}
        GROUP BY {names} HAVING sum(value) <> 0 ORDER BY {names}"""


def _person_sums(change: str) -> str:
    """Return what changes add up to per person, all measures in one row, in the order of the key."""
    sums = ", ".join(
        f"coalesce(sum(value) FILTER (WHERE measure = '{one}'), 0)::bigint AS {one}"
        for one in _MEASURES
    )
    return f"""SELECT person_id, channel, fact_currency AS currency, {sums} FROM {change}
        WHERE person_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def _put(table: str, keys: tuple[str, ...], values: tuple[str, ...], rows: str, new: str) -> str:
    """Return a statement that puts sums into a roll-up; `new` is what becomes of a `{value}` that is there."""
    return f"""INSERT INTO {table} ({", ".join((*keys, *values))}) {rows}
        ON CONFLICT ({", ".join(keys)}) DO UPDATE SET {", ".join(f"{one} = {new.format(value=one)}" for one in values)}"""


def _add(change: str) -> str:
    return _put("tally", _TALLY, ("value",), _sums(change), "tally.{value} + excluded.{value}")


def _add_persons(change: str) -> str:
    rows = _person_sums(change)
    return _put("person_sum", _PERSON, _MEASURES, rows, "person_sum.{value} + excluded.{value}")


def _counting(moved: str) -> str:
    """Return a statement that moves the roll-ups by what `moved` changes: an INSERT or UPDATE of `fact AS f`."""
    both = ", ".join(f"o.{name} AS o_{name}, n.{name} AS n_{name}" for name in _COUNTED)
    before, after = (
        f"(SELECT {', '.join(f'{side}_{name} AS {name}' for name in _COUNTED)} FROM moved"
        f" WHERE {side}_kind IS NOT NULL)"
        for side in "on"
    )
    return f"""
    WITH moved AS ({moved} RETURNING WITH (OLD AS o, NEW AS n) {both}),
    change AS MATERIALIZED (
        {_MOVES.format(facts=before, sign="-", which="")} UNION ALL {_MOVES.format(facts=after, sign="", which="")}
    ),
    people AS ({_add_persons("change")})
    {_add("change")}"""


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

DROP_PERSONS = "DELETE FROM person_sum WHERE person_id = ANY($1::uuid[])"
COUNT_PERSONS = _add_persons(
    f"({_MOVES.format(facts='fact', sign='', which=' AND x.person_id = ANY($1::uuid[])')}) AS change"
)
"""Count persons ($1) whose sums were dropped before."""


def _rebuild(table: str, keys: tuple[str, ...], values: tuple[str, ...], whole: str) -> str:
    is_same = " AND ".join(f"{{}}.{name} = t.{name}" for name in keys)
    new, held = (
        f"ROW({', '.join(f'coalesce({of}.{one}, 0)' for one in values)})" for of in ("w", "t")
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
    put AS ({_put(table, keys, values, changed, "excluded.{value}")})
    SELECT count(*) AS numbers FROM wrong"""


_EVERYTHING = f"({_MOVES.format(facts='fact', sign='', which='')}) AS change"
REBUILD = (
    _rebuild("tally", _TALLY, ("value",), _sums(_EVERYTHING)),
    _rebuild("person_sum", _PERSON, _MEASURES, _person_sums(_EVERYTHING)),
)
"""Make a roll-up anew from the facts, and return how many of its rows were wrong."""
