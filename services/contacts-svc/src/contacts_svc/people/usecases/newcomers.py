"""A person of whom nothing is known yet, as the rows that describe them: for ways in that write many at once by a statement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from contacts_svc.people import events
from contacts_svc.people.model import FIELDS, Draft, Origin, Person
from contacts_svc.people.usecases.save import _OF_NEW
from kantis_kit.ids import new_id_text

_DEFAULTS: Mapping[str, Any] = {
    name: field.default
    for name, field in Person.model_fields.items()
    if not field.is_required() and name != "custom"
}


@dataclass(slots=True)
class Newcomer:
    """One person to be written: `save_drafts` would leave the same rows."""

    person: dict[str, Any]
    identifiers: list[dict[str, Any]]
    change: dict[str, Any]
    keys: tuple[tuple[str, str], ...]
    """Kind and value of each address."""

    @property
    def id(self) -> str:
        """Who it is."""
        found: str = self.person["id"]
        return found

    def card(self) -> bytes:
        """What the other services are told, as JSON."""
        return events.first_card(self.person, dict(self.keys))


def newcomer(draft: Draft, *, origin: Origin, now: datetime) -> Newcomer:
    """Describe the person of a draft whose addresses nobody has; neither marks nor declared fields are said of them."""
    fields = draft.complete()
    person_id = new_id_text()
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
    # As `people.history` keeps what came from nothing.
    told = {name: fields[name] for name in FIELDS if fields[name]} | dict(draft.keys)
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
            "id": new_id_text(),
            "kind": kind,
            "value": value,
            "person_id": person_id,
            "as_given": one.as_given,
            "is_primary": True,
            "is_identifying": True,
            "created_at": now,
        }
        for (kind, value), one in zip(draft.keys, draft.addresses, strict=True)
    ]
    return Newcomer(person, identifiers, change, draft.keys)
