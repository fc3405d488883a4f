"""The check for duplicates on every write: who has these addresses already."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from contacts_svc.base import table_of
from contacts_svc.people.model import Person
from contacts_svc.people.queries import Key
from contacts_svc.people.rules import IdentifierKind
from kantis_kit.tx import Tx

_NAMES = tuple(table_of(Person).c.keys())
_FIND = f"""
WITH owned AS MATERIALIZED (
    SELECT held.kind, held.value, p.* FROM (
        SELECT kind, value, person_id FROM identifier WHERE kind = 'email' AND value = ANY ($1::text[]) AND is_identifying
        UNION ALL
        SELECT kind, value, person_id FROM identifier WHERE kind = 'phone' AND value = ANY ($2::text[]) AND is_identifying
    ) held JOIN person p ON p.id = held.person_id ORDER BY p.id FOR UPDATE OF p)
SELECT kind, value, CAST(NULL AS uuid) AS sharer, {", ".join(_NAMES)} FROM owned
UNION ALL
SELECT kind, value, person_id, {", ".join("NULL" for _ in _NAMES)} FROM identifier
WHERE kind = 'phone' AND value = ANY ($2::text[]) AND NOT is_identifying
"""  # noqa: S608 - names of columns of our own


async def find_holders(
    tx: Tx, keys: Sequence[Key]
) -> tuple[dict[Key, Person], dict[Key, set[UUID]]]:
    """Return who owns these addresses, locked in the order of their ids, and who shares the phones among them.

    One statement, in the driver's own words: it asks three indexes, and is part of every write of a person.
    """
    if not keys:
        return {}, {}
    emails = [value for kind, value in keys if kind == IdentifierKind.EMAIL]
    phones = [value for kind, value in keys if kind == IdentifierKind.PHONE]
    owners: dict[Key, Person] = {}
    sharers: dict[Key, set[UUID]] = defaultdict(set)
    for row in await tx.fetch(_FIND, emails, phones):
        kind, value, sharer = row[:3]
        if sharer is not None:
            sharers[kind, value].add(sharer)
            continue
        owners[kind, value] = tx.known(Person, dict(zip(_NAMES, row[3:], strict=True)))
    return owners, sharers
