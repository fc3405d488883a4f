"""Keep the copy of persons up to date."""

from collections.abc import Iterable

from sqlalchemy import and_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from kantis_contracts.contacts import PersonCard
from kantis_kit.tx import Tx
from orders_svc.people.model import Person


async def take_persons(tx: Tx, cards: Iterable[PersonCard]) -> None:
    """Store what has become of persons; what is older than the copy is dropped, an erased one is emptied for good."""
    newest: dict[object, PersonCard] = {}
    for card in cards:
        held = newest.get(card.person_id)
        if held is None or held.version < card.version:
            newest[card.person_id] = card
    if not newest:
        return
    # In the order of the key, so that two deliveries never wait for each other in a circle.
    rows = [_row(card) for card in sorted(newest.values(), key=lambda card: card.person_id)]
    statement = insert(Person).values(rows)
    new = {name: statement.excluded[name] for name in rows[0] if name != "person_id"}
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[col(Person.person_id)],
            set_=new,
            where=and_(
                col(Person.version) < statement.excluded.version, col(Person.is_erased).is_(False)
            ),
        )
    )


def _row(card: PersonCard) -> dict[str, object]:
    empty: dict[str, object] = {
        "person_id": card.person_id,
        "version": card.version,
        "preferred_name": "",
        "full_name": "",
        "language": card.language.value,
        "country": card.country,
        "street": "",
        "postal_code": "",
        "city": "",
        "address_country": "",
        "phone": "",
        "has_email": False,
        "is_erased": card.is_erased,
    }
    if card.is_erased:
        return empty
    address = card.address
    return empty | {
        "preferred_name": card.preferred_name,
        "full_name": card.full_name,
        "street": address.street if address else "",
        "postal_code": address.postal_code if address else "",
        "city": address.city if address else "",
        "address_country": address.country if address else "",
        "phone": card.phone or "",
        "has_email": bool(card.email) and "email" not in card.undeliverable,
    }
