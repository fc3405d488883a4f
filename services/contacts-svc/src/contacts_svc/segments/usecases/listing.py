"""How people are put on lists and taken off."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Table, delete, select

from contacts_svc.base import table_of
from contacts_svc.facts.queries import known_ids
from contacts_svc.lists import ListMember, add_to_list
from contacts_svc.people.model import Person
from contacts_svc.segments.errors import NotAList, PeopleUnknown
from contacts_svc.segments.model import Segment
from contacts_svc.segments.schemas import ListedOut
from contacts_svc.touched import Family, touch
from kantis_contracts.campaign import ListingRequestedV1
from kantis_kit.tx import Tx

_person: Table = table_of(Person)
_listed: Table = table_of(ListMember)


async def put_on_list(tx: Tx, segment: Segment, person_ids: Sequence[UUID]) -> ListedOut:
    """Put people on a list; those who are on it already stay.

    Raises:
        NotAList: the segment has a condition.
        PeopleUnknown: some of them are not there, or were erased; nobody is put on the list then.
    """
    _require_list(segment)
    asked = set(person_ids)
    unknown = sorted(asked - await _known(tx, asked))
    if unknown:
        raise PeopleUnknown(
            f"{len(unknown)} of {len(asked)} are not there; nobody was put on the list",
            person_ids=[str(one) for one in unknown[:100]],
        )
    added = await add_to_list(tx, segment.id, asked, source=f"api {tx.actor}")
    return ListedOut(added=added, already_there=len(asked) - added)


async def take_listings(tx: Tx, event: ListingRequestedV1) -> None:
    """Put people on a list for a rule or programme; who is gone, and a list that is, are left out.

    Somebody who was merged comes under the known id.
    """
    segment = await tx.get(Segment, event.segment_id)
    if segment is None or not segment.is_active or segment.kind != "list":
        tx.audit("segment.listing_refused", str(event.segment_id), asker=str(event.asker.id))
        return
    leads = await known_ids(tx, [one.person_id for one in event.items])
    known = await _known(tx, set(leads.values()))
    await add_to_list(tx, segment.id, known, source=f"{event.asker.kind} {event.asker.id}")


async def take_off_list(tx: Tx, segment: Segment, person_id: UUID) -> None:
    """Take a person off a list; one who is not on it is no error. Raises `NotAList`."""
    _require_list(segment)
    gone = await tx.scalars(
        delete(_listed)
        .where(_listed.c.segment_id == segment.id, _listed.c.person_id == person_id)
        .returning(_listed.c.person_id)
    )
    await touch(tx, list(gone), Family.LIST)


async def _known(tx: Tx, asked: Collection[UUID]) -> set[UUID]:
    """Return who of these is there; held until the commit, so that nobody is put on a list while being erased."""
    return set(
        await tx.scalars(
            select(_person.c.id)
            .where(_person.c.id.in_(asked), ~_person.c.is_erased)
            .order_by(_person.c.id)
            .with_for_update(read=True)
        )
    )


def _require_list(segment: Segment) -> None:
    if segment.kind != "list":
        raise NotAList("Its condition decides who is in it; make a segment of kind list")
