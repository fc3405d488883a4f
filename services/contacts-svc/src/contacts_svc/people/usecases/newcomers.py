"""A person of whom nothing is known yet, as the rows that describe them: for ways in that write many at once by a statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import orjson

from contacts_svc.people import events
from contacts_svc.people.model import FIELDS, Draft, Origin, Person
from contacts_svc.people.rules import Address
from contacts_svc.people.usecases.save import _OF_NEW
from kantis_contracts.contacts import PersonCard
from kantis_kit.ids import new_id

_DEFAULTS: Mapping[str, Any] = {
    name: field.default
    for name, field in Person.model_fields.items()
    if not field.is_required() and name != "custom"
}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One person to be written: `save_drafts` would leave the same rows."""

    person: dict[str, Any]
    identifiers: list[dict[str, Any]]
    change: dict[str, Any]
    addresses: tuple[Address, ...]

    @property
    def id(self) -> UUID:
        """Who it is."""
        found: UUID = self.person["id"]
        return found

    def card(self) -> PersonCard:
        """What the other services are told."""
        firsts = {one.kind.value: one.value for one in self.addresses}
        # The columns under their names are all that a card reads; a table object costs more than all the rest here.
        return events.person_card(cast("Person", SimpleNamespace(**self.person)), firsts)


def newcomer(draft: Draft, *, origin: Origin, now: datetime) -> Newcomer:
    """Describe the person of a draft whose addresses nobody has; neither marks nor declared fields are said of them."""
    fields = draft.complete()
    person_id = new_id()
    person = {
        **_DEFAULTS,
        **fields,
        "id": person_id,
        "version": 1,
        "custom": "{}",
        "is_erased": False,
        "created_at": now,
        "updated_at": now,
    }
    told: dict[str, list[str]] = {name: ["", fields[name]] for name in FIELDS if fields[name]}
    told |= {one.kind.value: ["", one.value] for one in draft.addresses}
    change = {
        "person_id": person_id,
        "version": 1,
        "at": now,
        "actor": origin.actor,
        "import_id": origin.import_id,
        "import_row": draft.row,
        "reason": origin.reason,
        "changes": orjson.dumps(told).decode(),
    }
    identifiers = [
        {
            **_OF_NEW,
            "id": new_id(),
            "kind": one.kind.value,
            "value": one.value,
            "person_id": person_id,
            "as_given": one.as_given,
            "is_primary": True,
            "is_identifying": True,
            "created_at": now,
        }
        for one in draft.addresses
    ]
    return Newcomer(person, identifiers, change, draft.addresses)
