"""Keep the marks by which people are recognised."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.people.marks import digits, household, mailbox, name_key
from campaign_svc.people.model import PersonMark
from kantis_contracts.contacts import PersonCard
from kantis_kit.db.sets import one_of
from kantis_kit.tx import Tx


async def keep_marks(tx: Tx, cards: Sequence[PersonCard]) -> None:
    """Take over the cards that are newer than what we hold; who was erased leaves nothing."""
    newest: dict[UUID, PersonCard] = {}
    for card in cards:
        held = newest.get(card.person_id)
        if held is None or card.version > held.version:
            newest[card.person_id] = card
    gone = sorted(one.person_id for one in newest.values() if one.is_erased)
    if gone:
        await tx.execute(
            delete(PersonMark).where(col(PersonMark.person_id) == one_of(gone, Uuid()))
        )
    # In the order of the key, so that two deliveries lock rows in the same order.
    rows = [_row(newest[key]) for key in sorted(newest) if not newest[key].is_erased]
    if not rows:
        return
    new = insert(PersonMark).values(rows)
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["person_id"],
            set_={name: new.excluded[name] for name in rows[0] if name != "person_id"},
            where=col(PersonMark.version) < new.excluded.version,
        )
    )


def _row(card: PersonCard) -> dict[str, object]:
    name = card.full_name or card.preferred_name
    return {
        "person_id": card.person_id,
        "version": card.version,
        "full_name": name,
        "name_key": name_key(name),
        "phone": digits(card.phone or ""),
        "mailbox": mailbox(card.email or ""),
        "household": household(card.address),
        "language": card.language.value,
    }
