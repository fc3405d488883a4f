"""Post that came back: evidence at the address to which it went, and the new one where the post knows it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from contacts_svc.people import queries
from contacts_svc.people.errors import ContactInvalid, ContactMerged, ContactUnknown
from contacts_svc.people.model import Person, PostalAddress
from contacts_svc.people.reachability import Outcome
from contacts_svc.people.usecases.addresses import IN_USE_KIND, add_address
from contacts_svc.people.usecases.reach import Evidence, Target, record_evidence
from kantis_contracts.orders import PostReason, PostReturned
from kantis_contracts.values import PostalAddress as Parts
from kantis_kit import observability
from kantis_kit.tx import Tx

log = observability.get_logger(__name__)
_SOURCE = "post"
_OUTCOMES = {
    PostReason.INSUFFICIENT: Outcome.UNKNOWN_ADDRESS,
    PostReason.NOT_ON_BOX: Outcome.SOFT_BOUNCE,
    PostReason.MOVED: Outcome.MOVED,
    PostReason.NOT_FOUND: Outcome.UNKNOWN_ADDRESS,
    PostReason.NO_SUCH_STREET: Outcome.UNKNOWN_ADDRESS,
    PostReason.BOX_FULL: Outcome.SOFT_BOUNCE,
    PostReason.VACANT: Outcome.UNKNOWN_ADDRESS,
    PostReason.NO_BUILDING: Outcome.UNKNOWN_ADDRESS,
    PostReason.NO_ACCESS: Outcome.SOFT_BOUNCE,
    PostReason.REFUSED: Outcome.REFUSED,
    PostReason.DEAD: Outcome.DECEASED,
    PostReason.CHANGED_EMPLOYER: Outcome.LEFT_EMPLOYER,
    PostReason.OTHER: Outcome.SOFT_BOUNCE,
}


async def take(tx: Tx, items: Sequence[PostReturned]) -> None:
    """Learn from pieces whose owners are known; each counts once, at the address that was in use."""
    told = sorted({one.person_id for one in items if one.person_id is not None})
    if not told:
        return
    known = {one: await queries.resolve(tx, one) for one in told}
    people = await queries.lock_people(tx, sorted(set(known.values())))
    homes = await _homes(tx, people)
    now = tx.clock.now()
    learned = []
    for one in items:
        person = people.get(known[one.person_id]) if one.person_id else None
        if person is None:
            continue
        outcome = _OUTCOMES[one.reason]
        home_id, since = homes.get(person.id, (None, now))
        # The address may have been changed since the piece was sent; who is dead is so at every address.
        if (home_id and since <= one.came_at) or outcome is Outcome.DECEASED:
            target = Target(person.id, address_id=home_id)
            at = min(one.came_at, now)
            learned.append(Evidence(target, outcome, at, _SOURCE, "", str(one.return_id)))
    await record_evidence(tx, learned)
    for one in items:
        if one.person_id is not None and one.new_address is not None:
            await _move(tx, known[one.person_id], one)


async def _homes(tx: Tx, people: Mapping[UUID, Person]) -> dict[UUID, tuple[UUID | None, datetime]]:
    """Return the addresses in use, and since when they are; what stands on a card alone becomes one."""
    rows = await tx.scalars(
        select(PostalAddress).where(
            col(PostalAddress.person_id) == queries.any_of(people), col(PostalAddress.is_in_use)
        )
    )
    homes: dict[UUID, tuple[UUID | None, datetime]] = {
        row.person_id: (row.id, row.created_at) for row in rows
    }
    for person in people.values():
        if person.id not in homes and (person.street or person.postal_code or person.city):
            card = Parts(
                street=person.street,
                postal_code=person.postal_code,
                city=person.city,
                country=person.address_country or person.country,
            )
            since = person.updated_at
            try:
                made = await add_address(tx, person, _given(card), reason="the card")
            except ContactInvalid:  # as it was before there were rules
                continue
            homes[person.id] = (made, since)
    return homes


def _given(parts: Parts) -> dict[str, Any]:
    return {
        "kind": IN_USE_KIND,
        "care_of": "",
        "street": parts.street,
        "postal_code": parts.postal_code,
        "city": parts.city,
        "country": parts.country,
        "valid_from": None,
        "valid_to": None,
        "source": _SOURCE,
    }


async def _move(tx: Tx, person_id: UUID, one: PostReturned) -> None:
    """Give somebody the address that the post has told; one that cannot be read, or is known, changes nothing."""
    assert one.new_address is not None  # noqa: S101 - the caller has looked
    new = one.new_address
    try:
        person = await queries.get_for_update(tx, person_id)
        known = await queries.list_addresses(tx, person_id)
        if any((row.street, row.city) == (new.street, new.city) for row in known):
            return
        await add_address(tx, person, _given(new), reason="the post")
    except (ContactInvalid, ContactMerged, ContactUnknown) as error:
        log.info("post.address_unread", return_id=str(one.return_id), problem=type(error).__name__)
