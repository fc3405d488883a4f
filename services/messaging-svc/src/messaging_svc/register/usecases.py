"""Keep the copies of persons and permissions up to date."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ColumnElement, Text, case, func, null
from sqlalchemy.dialects.postgresql import Insert, insert

from kantis_contracts.contacts import PermissionEntry, PersonCard
from kantis_kit.tx import Tx
from messaging_svc.addresses import address_hash
from messaging_svc.base import Moment, Uid
from messaging_svc.register.model import permission_card, person_card
from messaging_svc.sets import recordset


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


ThingT = TypeVar("ThingT", bound=_Versioned)


def _newest(items: Sequence[ThingT], key: Callable[[ThingT], Any]) -> list[ThingT]:
    """Keep the highest version of each thing: ON CONFLICT cannot touch a row twice; ordered against deadlocks."""
    best: dict[Any, ThingT] = {}
    for item in items:
        held = best.get(key(item))
        if held is None or item.version > held.version:
            best[key(item)] = item
    return [best[name] for name in sorted(best)]


def _person_row(card: PersonCard) -> dict[str, Any]:
    email = None if card.is_erased else (card.email or None)
    return {
        "person_id": card.person_id,
        "version": card.version,
        "preferred_name": "" if card.is_erased else card.preferred_name,
        "language": card.language,
        "country": card.country,
        "email": email,
        "email_hash": address_hash(email).hex() if email else None,
        "is_erased": card.is_erased,
    }


async def keep_persons(tx: Tx, cards: Sequence[PersonCard]) -> list[UUID]:
    """Store cards that are newer than those held; return the persons whose card was new or newer.

    An erased person never comes back, whatever arrives later.
    """
    new = recordset(
        "new",
        [_person_row(card) for card in _newest(cards, lambda card: card.person_id)],
        person_id=Uid,
        version=BigInteger(),
        preferred_name=Text(),
        language=Text(),
        country=Text(),
        email=Text(),
        email_hash=Text(),
        is_erased=Boolean(),
    )
    names = [name for name in person_card.columns.keys() if name != "last_email_hash"]  # noqa: SIM118 - columns
    statement = insert(person_card).from_select(
        names,
        new.select().with_only_columns(
            new.c.person_id, new.c.version, new.c.preferred_name, new.c.language, new.c.country,
            new.c.email, func.decode(new.c.email_hash, "hex"), new.c.is_erased, func.now(),
        ),
    )  # fmt: skip
    upsert = statement.on_conflict_do_update(
        index_elements=["person_id"],
        set_={name: statement.excluded[name] for name in names if name != "person_id"}
        | {"last_email_hash": _last_hash(statement)},
        where=(person_card.c.version < statement.excluded.version) & ~person_card.c.is_erased,
    ).returning(person_card.c.person_id)
    return list(await tx.scalars(upsert))


def _last_hash(statement: Insert) -> ColumnElement[bytes | None]:
    """Remember under which hash a card was that has no address any more; nothing of who was erased."""
    new = statement.excluded
    lost = new.email_hash.is_(None) & ~new.is_erased
    before = func.coalesce(person_card.c.email_hash, person_card.c.last_email_hash)
    return case((lost, before), else_=null())


async def keep_permissions(tx: Tx, entries: Sequence[PermissionEntry]) -> list[UUID]:
    """Store entries that are newer than those held; return the persons concerned."""
    new = recordset(
        "new",
        [
            {
                "person_id": entry.person_id,
                "channel": entry.channel,
                "purpose": entry.purpose,
                "state": entry.state,
                "version": entry.version,
                "ledger_id": entry.ledger_id,
                "legal_basis": entry.legal_basis,
                "occurred_at": entry.occurred_at,
            }
            for entry in _newest(
                entries, lambda entry: (entry.person_id, entry.channel, entry.purpose)
            )
        ],
        person_id=Uid,
        channel=Text(),
        purpose=Text(),
        state=Text(),
        version=BigInteger(),
        ledger_id=Uid,
        legal_basis=Text(),
        occurred_at=Moment,
    )
    names = list(permission_card.columns.keys())
    statement = insert(permission_card).from_select(
        names, new.select().with_only_columns(*(new.c[name] for name in names))
    )
    upsert = statement.on_conflict_do_update(
        index_elements=["person_id", "channel", "purpose"],
        set_={name: statement.excluded[name] for name in names[3:]},
        where=permission_card.c.version < statement.excluded.version,
    ).returning(permission_card.c.person_id)
    return list(await tx.scalars(upsert))
