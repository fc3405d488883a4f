"""The caps as parts of the gate's statements; `d` is the message, `h` its person's wishes, `c` its campaign's cell.

A message counts from its hand-over on, unless it failed. What is on the wire may still fail: a message that would pass
a cap by such a one waits for its turn; one that would pass it by certain ones is suppressed.
"""

MONTH_SECONDS = 30 * 86_400
"""A wished frequency speaks of a month; thirty days are counted, so that no month's end lets two months' share through."""

_CAPS = f"""(
                SELECT channel, max_messages, window_seconds, 'company' AS whose FROM frequency_cap
                WHERE channel IN (d.channel, '') AND d.is_marketing
                UNION ALL
                SELECT '', h.per_month, {MONTH_SECONDS}, 'person' WHERE h.per_month IS NOT NULL AND d.is_marketing
            ) k"""  # noqa: S608 - constants

_COUNTED = """x.person_id = d.person_id AND x.is_marketing AND x.id <> d.id AND k.channel IN ('', x.channel)"""
_LATELY = "x.handed_over_at > cast(:now AS timestamptz) - make_interval(secs => k.window_seconds)"

FULL = f"""LEFT JOIN LATERAL (
            SELECT k.max_messages, k.window_seconds, k.channel, k.whose, u.firm >= k.max_messages AS is_certain, u.filled_by
            FROM {_CAPS}
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE x.state <> 'handed_over') AS firm, count(*) AS all_of_them,
                    jsonb_agg(x.id ORDER BY x.id) FILTER (WHERE x.state <> 'handed_over') AS filled_by
                FROM dispatch x
                WHERE {_COUNTED} AND {_LATELY} AND x.state IN ('handed_over', 'accepted', 'in_doubt')
            ) u
            CROSS JOIN LATERAL (
                SELECT count(*) AS ahead FROM dispatch x
                WHERE u.all_of_them < k.max_messages AND {_COUNTED} AND x.handed_over_at IS NULL
                  AND (x.state = 'claimed' OR (x.state = 'planned' AND x.next_at <= :now))
                  AND (x.priority, d.id) > (d.priority, x.id)
            ) v
            WHERE u.all_of_them + v.ahead >= k.max_messages
            ORDER BY is_certain DESC, k.window_seconds DESC LIMIT 1
        ) f ON true"""  # noqa: S608 - constants
"""The cap (f) that a message would pass: by messages that count already, or by those of higher priority that are due."""

FREQUENCY_RULE = (
    "CASE WHEN f.is_certain THEN 'frequency_cap' WHEN NOT f.is_certain THEN 'waits_for_turn' END"
)
"""The name of the rule by which a person gets no further message now, or NULL."""

FREQUENCY_FACTS = """CASE WHEN f.max_messages IS NOT NULL THEN jsonb_build_object('cap', jsonb_build_object(
                'max_messages', f.max_messages, 'window_seconds', f.window_seconds, 'channel', f.channel,
                'whose', f.whose), 'filled_by', coalesce(f.filled_by, '[]')) END"""

NOT_FULL = f"""NOT EXISTS (
                  SELECT FROM {_CAPS}
                  WHERE (
                      SELECT count(*) FROM dispatch x
                      WHERE {_COUNTED} AND {_LATELY} AND x.state IN ('handed_over', 'accepted', 'in_doubt')
                  ) + t.ahead >= k.max_messages)"""  # noqa: S608 - constants
"""There is room for the message and for those to the same person that stand before it (t.ahead) in the same hand-over.

Asked while the person's row is locked against every other hand-over: two senders never pass a cap together.
"""

SCOPE = """CASE k.period WHEN 'day' THEN to_char(cast(:today AS date), 'YYYY-MM-DD')
                WHEN 'month' THEN to_char(cast(:today AS date), 'YYYY-MM') ELSE cast(coalesce(c.campaign_id, c.asker_id) AS text) END"""
"""What a spend cap (k) counts in for a message of a cell (c): a day, a month, a campaign or rule."""

CONCERNS = """k.channel = d.channel AND k.currency = c.currency
              AND (k.campaign_id IS NULL OR k.campaign_id = coalesce(c.campaign_id, c.asker_id))"""

COSTS = "d.cost_minor > 0 AND d.handed_over_at IS NULL"
"""A message is counted at its first hand-over, also when it came back unsent: its room is kept for it.

Attempts do not tell: one that came back without having left is not counted as an attempt.
"""

SPENT = f"""{COSTS} AND EXISTS (
                SELECT FROM spend_cap k
                LEFT JOIN spend_count n ON n.cap_id = k.id AND n.scope = {SCOPE}
                WHERE {CONCERNS} AND coalesce(n.spent_minor, 0) + d.cost_minor > k.limit_minor)"""
"""The message would pass a spend cap."""
