"""Which facts about people leave the service."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson

from contacts_svc.people.model import Person
from kantis_contracts.contacts import Lifecycle, PersonCard, PersonChangedV1
from kantis_contracts.values import Language, PostalAddress


def person_card(
    person: Person, first: Mapping[str, str], undeliverable: Collection[str] = ()
) -> PersonCard:
    """Map a person, and their first address of each kind, to what others need to address and greet them."""
    if person.is_erased:
        return PersonCard(person_id=person.id, version=person.version, is_erased=True)
    address = None
    if person.street or person.postal_code or person.city:
        address = PostalAddress(
            street=person.street,
            postal_code=person.postal_code,
            city=person.city,
            country=person.address_country or person.country,
        )
    return PersonCard(
        person_id=person.id,
        version=person.version,
        preferred_name=person.preferred_name,
        salutation=person.salutation,
        full_name=person.full_name,
        language=Language(person.language),
        country=person.country,
        email=first.get("email"),
        phone=first.get("phone"),
        address=address,
        lifecycle=Lifecycle(person.lifecycle),
        time_zone=person.time_zone,
        recipient_kind=person.recipient_kind,
        do_not_contact=person.do_not_contact,
        not_before=person.not_before,
        undeliverable=tuple(sorted(undeliverable)),
    )


def persons_changed(
    people: Iterable[tuple[Person, Mapping[str, str]]],
    undeliverable: Mapping[UUID, Collection[str]] | None = None,
) -> PersonChangedV1:
    """Say that these persons are new or have changed."""
    known = undeliverable or {}
    return PersonChangedV1(
        items=tuple(
            person_card(person, first, known.get(person.id, ())) for person, first in people
        )
    )


def first_card(person: Mapping[str, Any], first: Mapping[str, str]) -> bytes:
    """Map the row of a person who was just made to what `person_card` says of them, all of it, as JSON."""
    address = None
    if person["street"] or person["postal_code"] or person["city"]:
        address = {
            "street": person["street"],
            "postal_code": person["postal_code"],
            "city": person["city"],
            "country": person["address_country"] or person["country"],
        }
    card: dict[str, Any] = {
        "person_id": person["id"],
        "version": person["version"],
        "preferred_name": person["preferred_name"],
        "salutation": person["salutation"],
        "full_name": person["full_name"],
        "language": person["language"],
        "country": person["country"],
        "email": first.get("email"),
        "phone": first.get("phone"),
        "address": address,
        "lifecycle": person["lifecycle"],
        "is_erased": False,
        "time_zone": person["time_zone"],
        "recipient_kind": person["recipient_kind"],
        "do_not_contact": person["do_not_contact"],
        "not_before": person["not_before"],
        "undeliverable": (),
    }
    return orjson.dumps(card)


def new_person_card(person_id: str, known: Mapping[str, str], first: Mapping[str, str]) -> bytes:
    """Map a person who was just made to what `person_card` says of them, as JSON; what is as usual is left out."""
    card: dict[str, Any] = {
        "person_id": person_id,
        "version": 1,
        "full_name": known["full_name"],
        "language": known["language"],
        "country": known["country"],
        "email": first.get("email"),
        "phone": first.get("phone"),
        "lifecycle": known["lifecycle"],
        "time_zone": known["time_zone"],
    }
    for name in ("preferred_name", "salutation"):
        if known[name]:
            card[name] = known[name]
    if known["street"] or known["postal_code"] or known["city"]:
        card["address"] = {
            "street": known["street"],
            "postal_code": known["postal_code"],
            "city": known["city"],
            "country": known["address_country"] or known["country"],
        }
    return orjson.dumps(card)
