"""Whom a call spares, as parts of the gate's statement; `d` is the message, `p` its person's card.

Somebody who has roles in organisations is called in the one that matters most. A role that wants no contact, or whose
organisation wants none, does not count; who has none left is not called. Of several people of one audience who answer the
same number the most relevant is called; once that has happened, the others are spared.
"""

_ON = "cast(cast(:now AS timestamptz) AT TIME ZONE 'UTC' AS date)"
_IS_OPEN = f"""NOT (l.do_not_contact OR coalesce(l.not_before > {_ON}, false)
                    OR coalesce(l.valid_from > {_ON}, false) OR coalesce(l.valid_to < {_ON}, false))"""


def _roles(person: str) -> str:
    return f"""LATERAL (
            SELECT count(*) AS roles, max(l.relevance * 2 + l.is_main::int) FILTER (WHERE {_IS_OPEN}) AS rank
            FROM link_card l
            WHERE NOT l.is_removed AND l.person_id IN (
                SELECT {person} UNION ALL SELECT a.merged_id FROM person_alias a WHERE a.known_id = {person})
        )"""  # noqa: S608 - constants


ROLES = f"LEFT JOIN {_roles('d.person_id')} k ON true"
"""How many roles (k) a person has, and the rank of the best one in which they may be called; NULL where there is none."""

RULE = f"""CASE
                WHEN k.roles > 0 AND k.rank IS NULL THEN 'no_contact_in_any_role'
                WHEN k.rank IS NOT NULL THEN (
                    SELECT CASE WHEN bool_or(x.attempts > 0) THEN 'less_relevant' ELSE 'waits_for_more_relevant' END
                    FROM person_card y
                    JOIN dispatch x ON x.person_id = y.person_id AND x.channel = d.channel
                        AND x.origin = d.origin AND x.origin_id = d.origin_id
                    CROSS JOIN {_roles("x.person_id")} b
                    WHERE y.phone_hash = p.phone_hash AND y.person_id <> d.person_id
                      AND (x.attempts > 0 OR x.state IN ('planned', 'claimed'))
                      AND (b.rank > k.rank OR (b.rank = k.rank AND x.id < d.id))
                    HAVING count(*) > 0)
            END"""  # noqa: S608 - constants
"""The name of the rule by which a person (with k, of `ROLES`) is spared the call, or NULL."""
