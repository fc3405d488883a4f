"""People whom nobody knows yet, as they stand in the columns of a file, written out: what all have in common once.

Says of each what `Fresh.add` would say: a test compares the two. Nothing here needs escaping; whoever fills a block sees
to that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from contacts_svc.imports.fresh import Fresh, escaped_json
from contacts_svc.people.model import FIELDS
from contacts_svc.people.rules import zone_of
from contacts_svc.touched import Family
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id_text

Texts = list[str] | str
"""What the rows say in one column: a text for each, or one for all."""
_FIELD, _PERMISSION = int(Family.FIELD), int(Family.PERMISSION)


@dataclass(slots=True)
class Block:
    """The columns of some rows."""

    numbers: list[int]
    odd: set[int] = field(default_factory=set)
    """Places of rows that are not plain after all."""
    texts: dict[str, Texts] = field(default_factory=dict)
    emails: list[str] = field(default_factory=list)
    emails_given: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    phones_given: list[str] = field(default_factory=list)
    customs: list[dict[str, Any]] = field(default_factory=list)
    granted: list[list[tuple[Channel, Purpose]]] = field(default_factory=list)

    def leave(self, plain: list[bool]) -> None:
        """Keep the plain rows alone."""
        self.numbers = list(compress(self.numbers, plain))
        for name, told in self.texts.items():
            if isinstance(told, list):
                self.texts[name] = list(compress(told, plain))
        for name in ("emails", "emails_given", "phones", "phones_given", "customs", "granted"):
            setattr(self, name, list(compress(getattr(self, name), plain)))

    def complete(self) -> None:
        """Fill in what follows, as `Draft.complete` does; no text of any row is empty for which it says another."""
        texts, rows = self.texts, len(self.numbers)
        for name in FIELDS:
            told = texts.get(name, "")
            if isinstance(told, list) and len(set(told)) == 1:
                told = told[0]
            texts[name] = told
        home = texts["country"]
        texts["time_zone"] = (
            zone_of(home) if isinstance(home, str) else [zone_of(one) for one in home]
        )
        texts["lifecycle"] = "prospect"
        if not isinstance(texts["full_name"], str) or not texts["full_name"]:
            called = zip(
                listed(texts["full_name"], rows),
                listed(texts["given_name"], rows),
                listed(texts["family_name"], rows),
                strict=True,
            )
            texts["full_name"] = [
                full or (f"{given} {family}" if given and family else given or family)
                for full, given, family in called
            ]
        lines = [texts[name] for name in ("street", "postal_code", "city")]
        if all(line == "" for line in lines):
            return
        given = texts["address_country"]
        if given == "" and any(is_full(line) for line in lines):
            texts["address_country"] = home
            return
        homes = zip(
            listed(given, rows),
            listed(home, rows),
            *(listed(line, rows) for line in lines),
            strict=True,
        )
        texts["address_country"] = [
            one or (country if street or code or city else "")
            for one, country, street, code, city in homes
        ]


def listed(told: Texts, rows: int) -> Sequence[str]:
    """Return the text of each row."""
    return [told] * rows if isinstance(told, str) else told


def is_full(told: Texts) -> bool:
    """Say whether every row says something."""
    return bool(told) if isinstance(told, str) else all(told)


class _Form:
    """A text with gaps that are filled for each row."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._gaps: list[Sequence[object]] = []

    def say(self, text: str) -> "_Form":
        """Add what is the same for all."""
        self._parts.append(text.replace("%", "%%"))
        return self

    def fill(self, told: Texts | Sequence[object]) -> "_Form":
        """Add what the rows say in a column."""
        if isinstance(told, str):
            return self.say(told)
        self._parts.append("%s")
        self._gaps.append(told)
        return self

    def tell(self, name: str, told: Texts) -> "_Form":
        """Add a member of a JSON object, and a comma, in rows that say something."""
        if is_full(told):
            return self.say(f'"{name}":"').fill(told).say('",')
        if told:
            self.fill([f'"{name}":"{one}",' if one else "" for one in told])
        return self

    def lines(self) -> list[str]:
        """Return the text of each row; there is at least one gap."""
        form = "".join(self._parts)
        return [form % filled for filled in zip(*self._gaps, strict=True)]


def write_block(block: Block, fresh: Fresh) -> None:
    """Write out people as the rows of every table in which they are going to stand."""
    texts, rows = block.texts, len(block.numbers)
    ids = [new_id_text() for _ in range(rows)]
    first = len(fresh.ids)
    families = [fresh.shared] * rows
    customs, told_more = _add_more(block, fresh, ids, families)
    person = _Form().fill(ids).say("\t1")
    for name in FIELDS:
        person.say("\t").fill(texts[name])
    fresh.persons += person.say(fresh.of_person).fill(customs).say("\n").lines()
    change = _Form().fill(ids).say(fresh.of_change).fill(block.numbers).say("\t\t{")
    for name in FIELDS:
        if name != "country":
            change.tell(name, texts[name])
    change.tell("email", block.emails).tell("phone", block.phones).fill(told_more)
    # A country is always known: no comma is left at the end.
    fresh.changes += change.say('"country":"').fill(texts["country"]).say('"}\n').lines()
    fresh.cards += [card.encode() for card in _cards(block, ids)]
    fresh.ids += ids
    fresh.families += families
    for kind, values, given in (
        ("email", block.emails, block.emails_given),
        ("phone", block.phones, block.phones_given),
    ):
        lines = _Form().fill(ids).say(f"\t{kind}\t").fill(values).say("\t").fill(given)
        held = zip(values, lines.say(fresh.of_identifier).lines(), strict=True)
        fresh.identifiers += [
            (kind, value, line, index) for index, (value, line) in enumerate(held, first) if value
        ]


def _add_more(
    block: Block, fresh: Fresh, ids: list[str], families: list[int]
) -> tuple[Texts, Texts]:
    """Note values of declared fields and permissions; return what stands on the persons, and in the history."""
    if not any(block.customs) and not any(block.granted):
        return "{}", ""
    customs, told_more = [], []
    rows = zip(ids, block.numbers, block.customs, block.granted, strict=True)
    for place, (person_id, number, custom, granted) in enumerate(rows):
        index = len(fresh.ids) + place
        told: dict[str, Any] = {}
        customs.append(fresh.keep_values(index, person_id, custom, told) if custom else "{}")
        told_more.append(escaped_json(told)[1:-1] + "," if told else "")
        if custom:
            families[place] |= _FIELD
        if granted:
            fresh.keep_permissions(index, person_id, number, granted)
            families[place] |= _PERMISSION
    return customs, told_more


def _cards(block: Block, ids: list[str]) -> list[str]:
    """Return what `people.events.new_person_card` tells of each."""
    texts, rows = block.texts, len(ids)
    card = _Form().say('{"person_id":"').fill(ids).say('","version":1,')
    for name in ("preferred_name", "salutation"):
        card.tell(name, texts[name])
    for name in ("full_name", "language", "country", "lifecycle", "time_zone"):
        card.say(f'"{name}":"').fill(texts[name]).say('",')
    parts = [texts[name] for name in ("street", "postal_code", "city", "address_country")]
    if any(is_full(part) for part in parts[:3]):
        card.say('"address":{"street":"').fill(parts[0]).say('","postal_code":"').fill(parts[1])
        card.say('","city":"').fill(parts[2]).say('","country":"').fill(parts[3]).say('"},')
    elif any(parts[:3]):
        lines = zip(*(listed(part, rows) for part in parts), strict=True)
        card.fill(
            [
                f'"address":{{"street":"{street}","postal_code":"{code}","city":"{city}","country":"{home}"}},'
                if street or code or city
                else ""
                for street, code, city, home in lines
            ]
        )
    for name, values in (("email", block.emails), ("phone", block.phones)):
        if is_full(values):
            card.say(f'"{name}":"').fill(values).say('"')
        else:
            card.say(f'"{name}":').fill([f'"{value}"' if value else "null" for value in values])
        card.say("," if name == "email" else "}")
    return card.lines()


__all__ = ["Block", "Texts", "is_full", "listed", "write_block"]
