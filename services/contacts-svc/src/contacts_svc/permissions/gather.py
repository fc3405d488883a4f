"""The facts of one person that a decision depends on, as they were at one moment."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.facts.model import OrderFact
from contacts_svc.people import queries as people
from contacts_svc.people.errors import ContactUnknown
from contacts_svc.people.model import Identifier, Person
from contacts_svc.permissions.decide import SOFT_BASIS, Facts, Wash
from contacts_svc.permissions.hashes import doorstep, identity, keyed_hash
from contacts_svc.permissions.model import (
    LedgerEntry,
    Preference,
    Register,
    RegisterHit,
    RegisterKind,
    Scope,
    Suppression,
    next_state,
)
from contacts_svc.permissions.model import Wash as WashRow
from contacts_svc.permissions.rules_table import purpose_of
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, MessageClass, Purpose, RecipientKind, Relation
from kantis_kit.tx import ReadTx


async def gather(
    tx: ReadTx,
    person_id: UUID,
    channel: Channel,
    message_class: MessageClass,
    *,
    at: datetime,
    purpose: Purpose | None = None,
    recipient: RecipientKind | None = None,
    topic: str | None = None,
    list_id: UUID | None = None,
) -> Facts:
    """Return the facts of a decision as they were at a moment.

    What the person has said is read from the ledger; of the profile, the preferences and the registers' contents the
    present is known alone.

    Raises:
        ContactUnknown: never there, or erased.
    """
    person = await tx.get(Person, person_id)
    if person is None or person.is_erased:
        raise ContactUnknown("It was never there, or it was erased")
    chosen = purpose or purpose_of(message_class)
    said = await _said(tx, person_id, at)
    state, legal_basis, ledger_ids = (
        said.get((channel, chosen), (None, "", ())) if chosen else (None, "", ())
    )
    preference = await tx.get(Preference, person_id)
    identifiers = (await people.list_identifiers(tx, [person_id]))[person_id]
    return Facts(
        country=person.country,
        recipient=recipient or RecipientKind(person.recipient_kind),
        channel=channel,
        message_class=message_class,
        purpose=chosen,
        relation=await _relation(tx, person_id, said.values(), at),
        on=at.date(),
        state=state,
        legal_basis=legal_basis,
        ledger_ids=ledger_ids,
        is_spared=person.do_not_contact
        or (person.not_before is not None and at.date() < person.not_before),
        suppressed_by=await suppressed_by(
            tx, identifiers, at=at, channel=channel, topic=topic, list_id=list_id
        ),
        paused_until=_pause(preference, at),
        topic_refused=_refuses(preference, topic),
        wash=await _wash(tx, person, identifiers, channel, at.date()),
    )


_Said = tuple[PermissionState, str, tuple[UUID, ...]]


async def _said(tx: ReadTx, person_id: UUID, at: datetime) -> dict[tuple[Channel, Purpose], _Said]:
    """Fold the ledger up to a moment: per channel and purpose the state, its legal basis, and the entries behind it."""
    rows = await tx.scalars(
        select(LedgerEntry)
        .where(col(LedgerEntry.person_id) == person_id, col(LedgerEntry.occurred_at) <= at)
        .order_by(col(LedgerEntry.seq))
    )
    folded: dict[tuple[Channel, Purpose], tuple[PermissionState, datetime]] = {}
    found: dict[tuple[Channel, Purpose], _Said] = {}
    for row in rows:
        key = Channel(row.channel), Purpose(row.purpose)
        before = folded.get(key)
        after = next_state(before, PermissionState(row.state), row.occurred_at)
        basis = found[key][1] if after is before else row.legal_basis
        folded[key] = after
        found[key] = (after[0], basis, (*(found[key][2] if key in found else ()), row.id))
    return found


async def _relation(tx: ReadTx, person_id: UUID, said: Iterable[_Said], at: datetime) -> Relation:
    """A customer has ordered, or has a ledger entry that says so; a club's members are not known here yet."""
    if any(state is PermissionState.GRANTED and basis == SOFT_BASIS for state, basis, _ in said):
        return Relation.CUSTOMER
    order = await tx.scalar(
        select(col(OrderFact.order_id))
        .where(
            col(OrderFact.person_id) == person_id,
            col(OrderFact.placed_at) <= at,
            col(OrderFact.cancelled_at).is_(None),
        )
        .limit(1)
    )
    return Relation.CUSTOMER if order else Relation.NONE


def _pause(preference: Preference | None, at: datetime) -> datetime | None:
    until = preference.paused_until if preference else None
    return until if until is not None and at < until else None


def _refuses(preference: Preference | None, topic: str | None) -> bool:
    return bool(preference and topic and preference.topics.get(topic) is False)


def hashes_of(tx: ReadTx, identifiers: Iterable[Identifier]) -> list[bytes]:
    """Return the keyed hashes of these addresses."""
    secret = people.suppression_key(tx)
    return sorted({keyed_hash(secret, identity(one.kind, one.value)) for one in identifiers})


async def suppressed_by(
    tx: ReadTx,
    identifiers: Iterable[Identifier],
    *,
    at: datetime,
    channel: Channel,
    topic: str | None,
    list_id: UUID | None,
) -> tuple[str, ...]:
    """Return the scopes in which one of these addresses is suppressed, of those that a message falls into."""
    wanted = {f"{Scope.EVERYTHING}:", f"{Scope.CHANNEL}:{channel}"}
    wanted |= {f"{Scope.TOPIC}:{topic}"} if topic else set()
    wanted |= {f"{Scope.LIST}:{list_id}"} if list_id else set()
    rows = await tx.execute(
        select(col(Suppression.scope), col(Suppression.scope_id))
        .where(
            col(Suppression.hash) == func.any(hash_array(hashes_of(tx, identifiers))),
            col(Suppression.at) <= at,
        )
        .distinct()
    )
    found = {f"{scope}:{scope_id}" for scope, scope_id in plain(rows)}
    return tuple(sorted(one.rstrip(":") for one in found & wanted))


async def _wash(
    tx: ReadTx, person: Person, identifiers: Iterable[Identifier], channel: Channel, on: date
) -> Wash:
    """Say what the registers of the person's country that cover a channel know."""
    registers = [
        one
        for one in await tx.scalars(select(Register).where(col(Register.country) == person.country))
        if channel in one.channels
    ]
    if not registers:
        return Wash.MISSING
    held = list(identifiers)
    for register in registers:
        named = await tx.scalar(
            select(col(RegisterHit.hash))
            .where(
                col(RegisterHit.register_id) == register.id,
                col(RegisterHit.hash) == func.any(hash_array(_names(tx, person, held, register))),
            )
            .limit(1)
        )
        if named is not None:
            return Wash.RESERVED
    last = await last_washes(tx, on)
    is_fresh = all(is_recent(one, last.get(one.id), on) for one in registers)
    return Wash.CLEAR if is_fresh else Wash.MISSING


async def last_washes(tx: ReadTx, on: date) -> dict[UUID, date]:
    """Return the day of the newest wash of each register, none after a day."""
    rows = await tx.execute(
        select(col(WashRow.register_id), func.max(col(WashRow.as_of)))
        .where(col(WashRow.as_of) <= on)
        .group_by(col(WashRow.register_id))
    )
    return dict(plain(rows))


def is_recent(register: Register, washed: date | None, on: date) -> bool:
    """Say whether a wash is not older than the register's interval."""
    return washed is not None and on <= washed + timedelta(days=register.interval_days)


def _names(
    tx: ReadTx, person: Person, identifiers: Iterable[Identifier], register: Register
) -> list[bytes]:
    secret = people.suppression_key(tx)
    if register.matches == RegisterKind.PHONE:
        return hashes_of(tx, [one for one in identifiers if one.kind == "phone"])
    spelled = doorstep(person.full_name, person.street, person.postal_code)
    return [keyed_hash(secret, spelled)] if spelled else []


def hash_array(hashes: list[bytes]) -> ColumnElement[Any]:
    """Make one array parameter of many hashes."""
    return bindparam(None, hashes, type_=ARRAY(LargeBinary()), unique=True)
