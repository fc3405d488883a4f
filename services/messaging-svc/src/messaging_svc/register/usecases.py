"""Keep the copies of persons, permissions, wishes and suppressions up to date."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    Table,
    Text,
    case,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from kantis_contracts.contacts import (
    PermissionEntry,
    PersonCard,
    PreferenceCard,
    SuppressionEntry,
)
from kantis_kit.tx import Tx
from messaging_svc.addresses import address_hash, phone_hash
from messaging_svc.base import Moment, Uid
from messaging_svc.hours.model import time_zone
from messaging_svc.register.model import (
    permission_card,
    person_card,
    suppression_card,
    wish_card,
)
from messaging_svc.sets import recordset

ZONES = {
    "NO": "Europe/Oslo",
    "SE": "Europe/Stockholm",
    "DK": "Europe/Copenhagen",
    "FI": "Europe/Helsinki",
    "IS": "Atlantic/Reykjavik",
}
"""Of people whose card names no zone."""


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
    phone = None if card.is_erased else (card.phone or None)
    return {
        "person_id": card.person_id,
        "version": card.version,
        "preferred_name": "" if card.is_erased else card.preferred_name,
        "language": card.language,
        "country": card.country,
        "email": email,
        "email_hash": address_hash(email).hex() if email else None,
        "is_erased": card.is_erased,
        "phone": phone,
        "phone_hash": phone_hash(phone).hex() if phone else None,
        "do_not_contact": card.do_not_contact,
        "not_before": card.not_before,
        "time_zone": card.time_zone or ZONES.get(card.country, ""),
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
        phone=Text(),
        phone_hash=Text(),
        do_not_contact=Boolean(),
        not_before=Date(),
        time_zone=Text(),
    )
    names = [name for name in person_card.columns.keys() if name != "last_email_hash"]  # noqa: SIM118 - columns
    statement = insert(person_card).from_select(
        names,
        new.select().with_only_columns(
            new.c.person_id, new.c.version, new.c.preferred_name, new.c.language, new.c.country,
            new.c.email, func.decode(new.c.email_hash, "hex"), new.c.is_erased, func.now(),
            new.c.phone, func.decode(new.c.phone_hash, "hex"), new.c.do_not_contact, new.c.not_before,
            # A zone that this database does not know would stop the whole batch in which it is met.
            func.coalesce(select(time_zone.c.name).where(time_zone.c.name == new.c.time_zone).scalar_subquery(), "UTC"),
            *([literal(tx.clock.now(), Moment)] * 2),
        ),
    )  # fmt: skip
    upsert = statement.on_conflict_do_update(
        index_elements=["person_id"],
        set_={name: statement.excluded[name] for name in names if name != "person_id"}
        | {"last_email_hash": _last_hash(statement)}
        | {f"{kind}_since": _since(statement, kind) for kind in ("email", "phone")},
        where=(person_card.c.version < statement.excluded.version) & ~person_card.c.is_erased,
    ).returning(person_card.c.person_id)
    return list(await tx.scalars(upsert))


def _last_hash(statement: Insert) -> ColumnElement[bytes | None]:
    """Remember under which hash a card was that has no address any more; nothing of who was erased."""
    new = statement.excluded
    lost = new.email_hash.is_(None) & ~new.is_erased
    before = func.coalesce(person_card.c.email_hash, person_card.c.last_email_hash)
    return case((lost, before), else_=null())


def _since(statement: Insert, kind: str) -> ColumnElement[datetime]:
    """Keep since when an address is the one it is."""
    held, new = person_card.c[f"{kind}_hash"], statement.excluded[f"{kind}_hash"]
    return case(
        (held.is_distinct_from(new), statement.excluded[f"{kind}_since"]),
        else_=person_card.c[f"{kind}_since"],
    )


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


def _unless_older(table: Table, key: str, statement: Insert) -> Insert:
    """Take a row in place of the one that is held, unless that is as new."""
    return statement.on_conflict_do_update(
        index_elements=[key],
        set_={name: statement.excluded[name] for name in list(table.columns.keys()) if name != key},
        where=table.c.version < statement.excluded.version,
    )


async def keep_wishes(tx: Tx, cards: Sequence[PreferenceCard]) -> list[UUID]:
    """Store how people want to be written to, where it is newer than what is held; return the persons concerned."""
    new = recordset(
        "new",
        [card.model_dump(mode="json") for card in _newest(cards, lambda card: card.person_id)],
        person_id=Uid,
        version=BigInteger(),
        topics=JSONB(),
        channels=JSONB(),
        hour_from=Integer(),
        hour_to=Integer(),
        days=JSONB(),
        per_month=Integer(),
        paused_until=Moment,
        changed_at=Moment,
    )
    names = list(wish_card.columns.keys())
    statement = insert(wish_card).from_select(
        names, new.select().with_only_columns(*(new.c[name] for name in names))
    )
    upsert = _unless_older(wish_card, "person_id", statement)
    return list(await tx.scalars(upsert.returning(wish_card.c.person_id)))


def _hash_of(entry: SuppressionEntry) -> str | None:
    if not entry.address:
        return None
    of = phone_hash if entry.kind == "phone" else address_hash
    return of(entry.address).hex()


async def keep_suppressions(tx: Tx, entries: Sequence[SuppressionEntry]) -> None:
    """Store in which scopes addresses get nothing that advertises; only hashes of them are kept.

    A suppression that is lifted before it was heard of stays lifted.
    """
    new = recordset(
        "new",
        [
            {
                **entry.model_dump(mode="json", exclude={"kind", "address"}),
                "address_hash": _hash_of(entry),
                # One without an address could never be met; it is not worth the whole batch.
                "is_lifted": entry.is_lifted or not entry.address,
            }
            for entry in _newest(entries, lambda entry: entry.suppression_id)
        ],
        suppression_id=Uid,
        version=BigInteger(),
        address_hash=Text(),
        scope=Text(),
        scope_id=Text(),
        is_lifted=Boolean(),
        changed_at=Moment,
    )
    names = list(suppression_card.columns.keys())
    statement = insert(suppression_card).from_select(
        names,
        new.select().with_only_columns(
            *(
                func.decode(new.c[name], "hex") if name == "address_hash" else new.c[name]
                for name in names
            )
        ),
    )
    await tx.execute(_unless_older(suppression_card, "suppression_id", statement))
