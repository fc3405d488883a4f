"""People whom nobody knows yet, as the rows of every table in which they are going to stand.

The rows are made beside the event loop, in the text format of COPY, while the rows before them are on their way. What
they say of a person is what `people.usecases.save_drafts` would say: a test compares the two.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import orjson

from contacts_svc.fields.model import CustomField
from contacts_svc.fields.rules import MASK, columns_of
from contacts_svc.fields.usecases import is_secret
from contacts_svc.people.events import new_person_card
from contacts_svc.people.model import FIELDS, Draft
from contacts_svc.permissions.events import new_permission
from contacts_svc.touched import Family
from kantis_contracts.contacts import PermissionChangedV1, PersonChangedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id_text
from kantis_kit.outbox import Encoded

NULL = "\\N"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "person": (
        "id",
        "version",
        *FIELDS,
        "recipient_kind",
        "do_not_contact",
        "is_erased",
        "created_at",
        "updated_at",
        "custom",
    ),
    "identifier": (
        "id",
        "person_id",
        "kind",
        "value",
        "as_given",
        "label",
        "is_primary",
        "is_identifying",
        "source",
        "validity",
        "reachability",
        "reach_reason",
        "created_at",
    ),
    "person_change": (
        "person_id",
        "version",
        "at",
        "actor",
        "import_id",
        "import_row",
        "reason",
        "changes",
    ),
    "import_touched": (
        "import_id",
        "person_id",
        "was_created",
        "is_settled",
        "kept_because",
        "families",
    ),
    "field_value": (
        "key",
        "person_id",
        "position",
        "text_value",
        "number_value",
        "date_value",
    ),
    "field_secret": ("key", "person_id", "value"),
    "list_member": ("segment_id", "person_id", "source", "added_at"),
    "permission_state": (
        "person_id",
        "channel",
        "purpose",
        "ledger_id",
        "state",
        "version",
        "legal_basis",
        "source",
        "occurred_at",
    ),
    "permission_ledger": (
        "person_id",
        "channel",
        "purpose",
        "id",
        "state",
        "version",
        "legal_basis",
        "source",
        "occurred_at",
        "recorded_at",
        "text_shown",
        "text_version",
        "actor",
        "evidence",
    ),
}
"""The tables, in the order in which they are written, and what of them is."""
PERSONS_FIRST = "SELECT set_config('kantis.persons_first', $1, true)"
"""`on` says that this transaction writes persons before their identifiers: these are then looked at many at a time."""

_fields = itemgetter(*FIELDS)
_FIELD = int(Family.FIELD)
_PERMISSION = int(Family.PERMISSION)


@dataclass(frozen=True, slots=True)
class Making:
    """What all rows of an import share."""

    import_id: str
    actor: str
    now: str
    declared: Mapping[str, CustomField]
    list_id: str = ""
    permission_source: str = ""
    permission_text: str = ""

    @property
    def families(self) -> int:
        """The facts that are new of everybody."""
        return int(Family.PROFILE | Family.REACH | (Family.LIST if self.list_id else Family(0)))


@dataclass(slots=True)
class Payloads:
    """What is written of the people who are new indeed."""

    ids: list[str]
    rows: dict[str, bytes]
    """By table, in the text format of COPY."""
    cards: Encoded
    """What the other services are told of each."""
    permissions: Encoded
    """What they are told of permissions."""


@dataclass(slots=True)
class Fresh:
    """The rows of people who may be new; which of them are is found out when they are written."""

    making: Making
    shared: int = field(init=False)
    """The facts that are new of everybody."""
    of_person: str = field(init=False)
    of_change: str = field(init=False)
    of_identifier: str = field(init=False)
    """What the rows of all have in common."""
    ids: list[str] = field(default_factory=list)
    persons: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    families: list[int] = field(default_factory=list)
    cards: list[bytes] = field(default_factory=list)
    identifiers: list[tuple[str, str, str, int]] = field(default_factory=list)
    values: list[tuple[str, str, int]] = field(default_factory=list)
    secrets: list[tuple[str, str, int]] = field(default_factory=list)
    granted: list[tuple[str, str, bytes, int]] = field(default_factory=list)
    """A permission's state, its entry in the ledger, and what is told of it."""

    def __post_init__(self) -> None:
        making = self.making
        self.shared = making.families
        self.of_person = f"\tperson\tf\tf\t{making.now}\t{making.now}\t"
        self.of_change = f"\t1\t{making.now}\t{text_of(making.actor)}\t{making.import_id}\t"
        self.of_identifier = f"\t\tt\tt\t\tvalid\tunknown\t\t{making.now}\n"

    def add(self, draft: Draft, granted: Sequence[tuple[Channel, Purpose]]) -> None:
        """Add a draft whose addresses nobody is known to have, and what it grants."""
        index = len(self.ids)
        person_id = new_id_text()
        known = draft.complete()
        texts = _fields(known)
        first = dict(draft.keys)
        # As `people.history` keeps what came from nothing.
        told: dict[str, Any] = {
            name: text for name, text in zip(FIELDS, texts, strict=True) if text
        } | first
        families, custom = self.shared, "{}"
        if draft.custom:
            families |= _FIELD
            custom = self.keep_values(index, person_id, draft.custom, told)
        self.ids.append(person_id)
        self.persons.append(f"{person_id}\t1\t{row_of(texts)}{self.of_person}{custom}\n")
        self.changes.append(f"{person_id}{self.of_change}{draft.row}\t\t{escaped_json(told)}\n")
        if granted:
            families |= _PERMISSION
            self.keep_permissions(index, person_id, draft.row, granted)
        self.families.append(families)
        self.cards.append(new_person_card(person_id, known, first))
        for (kind, value), address in zip(draft.keys, draft.addresses, strict=True):
            line = f"{person_id}\t{kind}\t{row_of((value, address.as_given))}{self.of_identifier}"
            self.identifiers.append((kind, value, line, index))

    def keep_values(
        self, index: int, person_id: str, given: Mapping[str, Any], told: dict[str, Any]
    ) -> str:
        """Note the values of declared fields; return those that stand on the person."""
        kept: dict[str, Any] = {}
        for key, value in given.items():
            if is_secret(self.making.declared, key):
                told[f"custom.{key}"] = (MASK, MASK if value is not None else "")
                if value is not None:
                    self.secrets.append((key, f"{key}\t{person_id}\t{text_of(value)}\n", index))
                continue
            if value is None:
                continue
            kept[key] = value
            told[f"custom.{key}"] = (None, value) if isinstance(value, list) else value
            declared = self.making.declared[key]
            if declared.is_filtered:
                for position, one in enumerate(columns_of(declared.kind, value)):
                    cells = (
                        key,
                        person_id,
                        str(position),
                        NULL if one.text is None else text_of(one.text),
                        NULL if one.number is None else str(one.number),
                        NULL if one.day is None else one.day.isoformat(),
                    )
                    self.values.append((key, "\t".join(cells) + "\n", index))
        return escaped_json(kept)

    def keep_permissions(
        self,
        index: int,
        person_id: str,
        row: int | None,
        granted: Sequence[tuple[Channel, Purpose]],
    ) -> None:
        """Note what a row grants."""
        making = self.making
        source = text_of(making.permission_source)
        evidence = escaped_json({"import_id": making.import_id, "row": row})
        for channel, purpose in sorted(granted):
            ledger_id = new_id_text()
            line = (
                f"{person_id}\t{channel.value}\t{purpose.value}\t{ledger_id}"
                f"\tgranted\t1\tconsent\t{source}\t{making.now}"
            )
            shown = row_of((making.permission_text, "", making.actor))
            told = new_permission(person_id, channel, purpose, ledger_id, making.now)
            self.granted.append(
                (f"{line}\n", f"{line}\t{making.now}\t{shown}\t{evidence}\n", told, index)
            )

    def payloads(self, known: Collection[int]) -> Payloads:
        """Put together what is written when the drafts of these indexes are of people who are known already."""
        making = self.making
        new = [index for index in range(len(self.ids)) if index not in known]
        # One order for all who claim addresses, so that nobody waits in a circle.
        claims = sorted(one for one in self.identifiers if one[3] not in known)
        rows = {
            "person": [self.persons[index] for index in new],
            "identifier": [f"{new_id_text()}\t{line}" for _, _, line, _ in claims],
            "person_change": [self.changes[index] for index in new],
            "import_touched": [
                f"{making.import_id}\t{self.ids[index]}\tt\tf\t\t{self.families[index]}\n"
                for index in new
            ],
            "field_value": [line for _, line, index in sorted(self.values) if index not in known],
            "field_secret": [line for _, line, index in sorted(self.secrets) if index not in known],
            "list_member": [
                f"{making.list_id}\t{self.ids[index]}\timport:{making.import_id}\t{making.now}\n"
                for index in new
            ]
            if making.list_id
            else [],
            "permission_state": [one[0] for one in self.granted if one[3] not in known],
            "permission_ledger": [one[1] for one in self.granted if one[3] not in known],
        }
        return Payloads(
            [self.ids[index] for index in new],
            {table: "".join(lines).encode() for table, lines in rows.items() if lines},
            Encoded(PersonChangedV1, [self.cards[index] for index in new]).ahead(),
            Encoded(
                PermissionChangedV1, [one[2] for one in self.granted if one[3] not in known]
            ).ahead(),
        )


def text_of(text: str) -> str:
    """Return a text as COPY reads it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def row_of(texts: Sequence[str]) -> str:
    """Return texts as neighbouring columns of COPY."""
    row = "\t".join(texts)
    if "\\" in row or "\n" in row or "\r" in row or row.count("\t") >= len(texts):
        row = "\t".join(map(text_of, texts))
    return row


def escaped_json(value: object) -> str:
    """Return a value as JSON, as COPY reads it."""
    return orjson.dumps(value).decode().replace("\\", "\\\\")
