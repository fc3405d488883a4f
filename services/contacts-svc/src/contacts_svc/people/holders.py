"""The check for duplicates on every write: who has these addresses already."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, bindparam, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.people.model import Identifier, Person
from contacts_svc.people.queries import Key, lock_owners
from contacts_svc.people.rules import IdentifierKind
from kantis_kit.tx import Tx


async def find_holders(
    tx: Tx, keys: Sequence[Key]
) -> tuple[dict[Key, Person], dict[Key, set[UUID]]]:
    """Return who owns these addresses, locked, and who shares the phones among them.

    One statement asks the indexes of both; only where somebody owns an address, a second one locks the owners.
    """
    emails = [value for kind, value in keys if kind == IdentifierKind.EMAIL]
    phones = [value for kind, value in keys if kind == IdentifierKind.PHONE]
    held = [
        select(
            col(Identifier.kind), col(Identifier.value), literal(None, Uuid()).label("sharer")
        ).where(
            col(Identifier.kind) == kind,
            col(Identifier.value) == _any(values),
            col(Identifier.is_identifying),
        )
        for kind, values in (("email", emails), ("phone", phones))
        if values
    ]
    if phones:
        held.append(
            select(col(Identifier.kind), col(Identifier.value), col(Identifier.person_id)).where(
                col(Identifier.kind) == "phone",
                col(Identifier.value) == _any(phones),
                ~col(Identifier.is_identifying),
            )
        )
    if not held:
        return {}, {}
    owned: list[Key] = []
    sharers: dict[Key, set[UUID]] = defaultdict(set)
    for kind, value, sharer in plain(await tx.execute(union_all(*held))):
        if sharer is None:
            owned.append((kind, value))
        else:
            sharers[kind, value].add(sharer)
    return (await lock_owners(tx, owned) if owned else {}), sharers


def _any(values: Sequence[str]) -> ColumnElement[Any]:
    return func.any(bindparam(None, list(values), type_=ARRAY(TEXT()), unique=True))
