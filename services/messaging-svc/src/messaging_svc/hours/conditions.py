"""The hours as parts of the gate's statement, for a message (d) of a cell or step (c) to a person (p) with wishes (h).

Advertising keeps them, and so does what a rule or programme tells as a service: nobody waits for it. Whoever has ordered
or signed up waits for the answer, and gets it at once. They cost nothing where neither hours nor wishes are
known: then `next_opening` is not called.
"""

_IS_SERVICE = "coalesce(c.message_class = 'service', false)"
_KEEPS = f"(d.is_marketing OR {_IS_SERVICE})"

HOURS = f"""LEFT JOIN LATERAL (
            SELECT opens, closes, rests_on_holidays FROM sending_hours
            WHERE {_KEEPS} AND channel = d.channel AND country IN (p.country, '')
              AND valid_from <= cast(cast(:now AS timestamptz) AT TIME ZONE 'UTC' AS date)
            ORDER BY is_own DESC, country DESC, valid_from DESC LIMIT 1
        ) o ON true"""  # noqa: S608 - a constant above
"""The hours that hold for a message: the company's own before the defaults, a country's before everybody's."""

_RINGS = "d.channel IN ('email', 'sms', 'phone')"
"""A letter arrives when the post comes, and a page when somebody looks: nobody wishes hours for them."""

_WISHED = "h.hour_from, h.hour_to, h.days"

OPENS_AT = f"""CASE
                WHEN NOT {_KEEPS} THEN cast(:now AS timestamptz)
                WHEN o.opens IS NULL AND (NOT {_RINGS} OR (h.hour_from IS NULL AND coalesce(h.days, '[]') = '[]'))
                    THEN cast(:now AS timestamptz)
                WHEN {_RINGS} THEN next_opening(cast(:now AS timestamptz), p.time_zone, p.country, o.opens, o.closes,
                    coalesce(o.rests_on_holidays, false), {_WISHED})
                ELSE next_opening(cast(:now AS timestamptz), p.time_zone, p.country, o.opens, o.closes,
                    o.rests_on_holidays, NULL, NULL, '[]')
            END"""
"""The first moment from now on at which the message may begin; NULL when there is none within four weeks."""

RULE = """CASE
                WHEN a.opens_at IS NULL THEN 'no_common_hours'
                WHEN a.opens_at > :now AND o.opens IS NOT NULL AND next_opening(cast(:now AS timestamptz), p.time_zone,
                    p.country, o.opens, o.closes, o.rests_on_holidays, NULL, NULL, '[]') > :now THEN 'waits_for_hours'
                WHEN a.opens_at > :now THEN 'waits_for_wished_hours'
            END"""
"""The name of the rule by which a message may not begin now (a.opens_at is `OPENS_AT`), or NULL."""

OF_SERVICE = f"""WHEN NOT d.is_marketing AND {_IS_SERVICE} THEN coalesce(nullif({RULE}, 'no_common_hours'), 'allowed')"""
"""Branch of the gate's decision: a service message waits for the hours, and goes where there are none in common."""
