"""What a fact counts for, and when: the rules as tables, and the one expression that applies them."""

# ruff: noqa: S608 - put together from constants of this file

from analytics_svc.facts.model import CREDITED

_RULES = (
    ("piece", "released", "planned", ""),
    ("piece", "accepted", "sent", ""),
    ("piece", "", "delivered", ""),
    ("piece", "", "failed", ""),
    ("piece", "", "suppressed", ""),
    ("piece", "", "expired", ""),
    ("piece", "", "in_doubt", ""),
    ("piece", "", "cost_minor", "released"),
    ("piece", "came_back", "came_back", ""),
    ("piece", "came_back", "lost_minor", "released"),
    ("order", "placed", "ordered", ""),
    ("order", "placed", "revenue_minor", "placed"),
    ("order", "paid", "paid", ""),
    ("order", "paid", "paid_minor", "paid"),
    ("return", "returned", "returned", ""),
    ("return", "returned", "returned_minor", "returned"),
    ("payment", "booked", "received_minor", "booked"),
    ("invoice", "issued", "invoiced", ""),
    ("invoice", "reminded", "reminded", "reminded"),
    ("opening", "seen", "opened", ""),
    ("opener", "seen", "opened_persons", ""),
    ("click", "seen", "clicked", ""),
    ("clicker", "seen", "clicked_persons", ""),
    ("machine_click", "seen", "clicked_machine", ""),
    ("withdrawal", "seen", "unsubscribed", ""),
    ("response", "seen", "responded", ""),
    ("responder", "seen", "responded_persons", ""),
    ("lead", "seen", "leads", ""),
    ("post", "came", "post_returned", ""),
)
"""Kind of fact; its mark, from which it counts (empty: how a piece ended says so); what for; the mark of the amount that is
counted, of what is an amount. What was called off counts nothing. A `step` is a piece of no campaign."""

_ENDS = {
    "failed": "failed",
    "accepted": "delivered",
    "suppressed": "suppressed",
    "expired": "expired",
}
"""How a piece can end, and what that counts for; of two ends the later one holds, at the same moment the first of these."""

_RARE_KINDS = {
    "missed": {"response"}, "scored": {"survey"}, "joined": {"permission"}, "left": {"permission"},
    "settled": {"invoice"}, "settled_late": {"invoice"}, "settled_days": {"invoice"},
}  # fmt: skip
NOTHING = "'00000000-0000-0000-0000-000000000000'::uuid"
COUNTED = (
    "kind",
    "campaign_id",
    "cell_id",
    "person_id",
    "currency",
    "label",
    "channel",
    "marks",
    "is_twin",
)
"""The columns on which it depends what a fact counts."""

OF_HOUSE = """ AND (x.kind IN ('lead', 'permission', 'post', 'response', 'survey')
        OR x.kind IN ('piece', 'step') AND x.marks ? 'came_back')"""
"""The facts (x) that count for the whole house: few beside pieces and clicks."""
OF_BUYERS = " AND x.kind IN ('invoice', 'order', 'payment', 'response', 'return')"
"""The facts (x) of what people answered, bought and paid."""

_UNPAID = "marks -> 'unpaid' -> 0 > marks -> 'paid' -> 0"
_HELD = f"""CASE WHEN kind <> 'order' THEN marks
    ELSE (CASE WHEN {_UNPAID} THEN marks - 'paid' ELSE marks END) || CASE
        WHEN marks ? 'placed' AND marks -> 'changed' -> 0 > marks -> 'placed' -> 0
        THEN jsonb_build_object('placed', jsonb_set(marks -> 'placed', '{{{{2}}}}', marks -> 'changed' -> 2)) ELSE '{{{{}}}}' END
    END"""
"""The marks of which a fact counts. An order loses that of payment when the bank took the money back after it was paid for the
last time; when its lines were changed, it counts on the day of its placing what it comes to now."""

_RARE = """
    SELECT {of}r.campaign_id, r.cell_id, r.person_id, r.channel, r.currency, m.measure, false, m.value, m.at, m.label
    FROM (
        SELECT * FROM {facts} AS x
        WHERE kind IN ('invoice', 'permission', 'response', 'survey') AND NOT is_twin{which} OFFSET 0
    ) AS r
    CROSS JOIN LATERAL (
        -- Late is what was promised, told on the day on which the answer came in.
        SELECT 'missed', r.label, 1::bigint, (r.marks -> 'seen' ->> 1)::bigint
        WHERE r.kind = 'response' AND r.marks ? 'missed'
        UNION ALL
        SELECT 'scored', r.label || '/' || name || '/' || (mark ->> 2), 1, (mark ->> 1)::bigint
        FROM jsonb_each(r.marks) AS s (name, mark) WHERE r.kind = 'survey'
        UNION ALL
        -- Somebody comes on a list when the answer becomes yes, and leaves it when it is yes no longer.
        SELECT CASE WHEN step > 0 THEN 'joined' ELSE 'left' END, r.channel || '/' || r.label, abs(step), at
        FROM (
            SELECT (mark ->> 2)::bigint - coalesce(lag((mark ->> 2)::bigint) OVER (ORDER BY mark), 0) AS step,
                (mark ->> 1)::bigint AS at
            FROM jsonb_each(r.marks) AS p (name, mark) WHERE r.kind = 'permission'
        ) AS p
        UNION ALL
        SELECT s.measure, '', s.value, i.settled
        FROM (
            SELECT (r.marks -> 'settled' ->> 1)::bigint AS settled, (r.marks -> 'issued' ->> 1)::bigint AS issued,
                (r.marks -> 'due' ->> 1)::bigint AS due
            WHERE r.kind = 'invoice' AND r.marks ? 'issued' AND r.marks ? 'settled'
              AND NOT coalesce(r.marks -> 'reopened' -> 1 > r.marks -> 'settled' -> 1, false)
        ) AS i
        CROSS JOIN LATERAL (VALUES
            ('settled', 1::bigint),
            ('settled_late', (i.settled / 86400000000 > i.due / 86400000000)::int::bigint),
            ('settled_days', greatest(0, i.settled / 86400000000 - i.issued / 86400000000))
        ) AS s (measure, value)
    ) AS m (measure, label, value, at)"""
"""What facts add that are few, and whose rules do not fit the table."""

# Rules are joined as a table: a lateral list of values would be compiled anew for every fact (four times as long).
_MOVES = f"""
    SELECT {{of_all}}campaign_id, coalesce(cell_id, {NOTHING}) AS cell_id, person_id, channel, measure,
        date '1970-01-01' + (at / 86400000000)::int AS day,
        CASE WHEN is_money THEN currency ELSE '' END AS currency, currency AS fact_currency, {{sign}}value AS value,
        label
    FROM (
        SELECT {{of_piece}}x.campaign_id, x.cell_id, x.person_id, x.channel, x.currency, r.measure, r.amount <> '' AS is_money,
            CASE WHEN r.amount = '' THEN 1 ELSE (x.marks -> r.amount ->> 2)::bigint END AS value,
            CASE WHEN r.mark <> '' THEN (x.marks -> r.mark ->> 1)::bigint
                WHEN r.measure = x.ending THEN x.ended
                -- What was handed over has cost its price; what is in doubt is taken as handed over until it is known.
                WHEN r.measure = 'cost_minor' AND x.accepted IS NOT NULL THEN x.accepted
                WHEN r.measure IN ('in_doubt', 'cost_minor') AND x.ended IS NULL THEN x.in_doubt END AS at,
            CASE x.kind WHEN 'piece' THEN x.channel ELSE x.label END AS label
        FROM (
            SELECT x.*, CASE x.ended {" ".join(f"WHEN x.{end} THEN '{measure}'" for end, measure in _ENDS.items())} END AS ending
            FROM (
                SELECT x.*, greatest({", ".join(f"x.{end}" for end in _ENDS)}) AS ended
                FROM (
                    SELECT x.*, {", ".join(f"(x.piece -> '{name}' ->> 1)::bigint AS {name}" for name in (*_ENDS, "in_doubt"))}
                    FROM (
                        SELECT {{of_fact}}campaign_id, cell_id, person_id, channel, currency, label, {_HELD} AS marks,
                            CASE kind WHEN 'step' THEN 'piece' ELSE kind END AS kind,
                            CASE WHEN kind IN ('piece', 'step') THEN marks END AS piece
                        FROM {{facts}} AS x
                        WHERE NOT is_twin AND (kind IN ('piece', 'step') OR NOT marks ? 'cancelled'){{which}} OFFSET 0
                    ) AS x OFFSET 0
                ) AS x OFFSET 0
            ) AS x OFFSET 0
        ) AS x
        JOIN (VALUES {", ".join(f"{rule}" for rule in _RULES)}) AS r (kind, mark, measure, amount) ON r.kind = x.kind
        UNION ALL
        -- Of what was never paid, nothing can be taken back.
        SELECT {{of_order}}x.campaign_id, x.cell_id, x.person_id, x.channel, x.currency, 'paid_minor', true, -(c.mark ->> 2)::bigint,
            greatest((x.marks -> 'paid' ->> 1)::bigint, (c.mark ->> 1)::bigint), ''
        FROM {{facts}} AS x, LATERAL jsonb_each(x.marks) AS c (name, mark)
        WHERE NOT is_twin AND kind = 'order' AND {_HELD} ? 'paid' AND NOT marks ? 'cancelled'
          AND starts_with(c.name, '{CREDITED}'){{which}}
        UNION ALL
        {_RARE.replace("{of}", "{of_rare}")}
        OFFSET 0
    ) AS x
    WHERE at IS NOT NULL AND value <> 0"""
_OF = {
    "{of_all}": "fact_kind, key, ",
    "{of_piece}": "x.fact_kind, x.key, ",
    "{of_fact}": "kind AS fact_kind, key, ",
    "{of_order}": "x.kind, x.key, ",
    "{of_rare}": "r.kind, r.key, ",
}


def _moves(*, is_keyed: bool) -> str:
    found = _MOVES
    for place, columns in _OF.items():
        found = found.replace(place, columns if is_keyed else "")
    return found


MOVES = _moves(is_keyed=False)
"""What facts (x) add, one row per measure, with the label under which the house counts it."""
KEYED_MOVES = _moves(is_keyed=True)
"""The same, and of which fact each row is: `fact_kind` and `key`."""


def kinds_of(measure: str) -> frozenset[str]:
    """Return the kinds of facts that can count for a measure; none when there is no such measure."""
    kinds = {kind for kind, _, of, _ in _RULES if of == measure} | _RARE_KINDS.get(measure, set())
    return frozenset(kinds | ({"step"} if "piece" in kinds else set()))
