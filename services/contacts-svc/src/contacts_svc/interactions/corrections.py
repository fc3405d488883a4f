"""Addresses that people wrote with what they answered: on their cards, or a task where one cannot be read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from contacts_svc.facts.queries import living
from contacts_svc.interactions.calls import safe
from contacts_svc.interactions.responses import row_of
from contacts_svc.interactions.schemas import InteractionKind
from contacts_svc.interactions.usecases import keep
from contacts_svc.people import queries, usecases
from contacts_svc.people.errors import ContactInvalid
from contacts_svc.people.model import Person
from kantis_contracts.orders import AddressCorrected
from kantis_kit.tx import Tx

REASON = "written with an answer"
_PARTS = ("street", "postal_code", "city")


async def take_corrections(tx: Tx, corrections: Sequence[AddressCorrected]) -> None:
    """Let corrected addresses stand on the cards of those who wrote them; a part that was left out stays as it is.

    One that cannot be, such as a postal code that its country does not have, is left to a person as a task. People who
    are gone are left out.
    """
    there = await living(tx, (one.person_id for one in corrections))
    newest: dict[UUID, AddressCorrected] = {}
    for one in sorted(corrections, key=lambda one: one.corrected_at):
        if one.person_id in there:
            newest[there[one.person_id]] = one
    people = await queries.lock_people(tx, sorted(newest))
    tasks = []
    for person_id, person in people.items():
        try:
            await _correct(tx, person, newest[person_id])
        except ContactInvalid as error:
            tasks.append(_task(newest[person_id], person_id, str(error.detail), tx.clock.now()))
    if tasks:
        await keep(tx, tasks)


async def _correct(tx: Tx, person: Person, given: AddressCorrected) -> None:
    before = {name: getattr(person, name) for name in _PARTS}
    told = {name: getattr(given, name) or before[name] for name in _PARTS}
    fields = usecases.read_fields(told | {"address_country": given.country}, country=person.country)
    if {name: fields[name] for name in _PARTS} == before:
        return
    await usecases.change_contact(tx, person, fields, email=None, phone=None, reason=REASON)
    await usecases.set_by_hand(tx, [person.id])


def _task(given: AddressCorrected, person_id: UUID, problem: str, now: datetime) -> dict[str, Any]:
    written = ", ".join(filter(None, (given.street, f"{given.postal_code} {given.city}".strip())))
    return row_of(person_id, now) | {
        "kind": InteractionKind.TASK.value,
        "topic": "look at the corrected address",
        "text": safe(f"{written} ({given.country}): {problem}"),
        "campaign_id": None,
        "external_id": f"address-{given.response_id}",
        "occurred_at": min(given.corrected_at, now),
    }
