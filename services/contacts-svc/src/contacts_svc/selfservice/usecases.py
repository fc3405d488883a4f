"""What a person does on their own pages."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contacts_svc.people import queries as people_queries
from contacts_svc.people import usecases as people
from contacts_svc.people.schemas import ContactOut
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.schemas import WishesIn
from contacts_svc.privacy import usecases as privacy
from contacts_svc.selfservice.events import page_requested
from contacts_svc.selfservice.links import path_to
from kantis_contracts.values import Channel, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.tx import Tx


async def keep_choices(
    tx: Tx,
    person_id: UUID,
    *,
    wanted: Mapping[tuple[Channel, Purpose], bool],
    before: Mapping[tuple[Channel, Purpose], bool] | None,
    text_shown: Mapping[tuple[Channel, Purpose], str],
    evidence: Mapping[str, Any],
    wishes: WishesIn | None,
) -> None:
    """Enter what a person has changed, and keep how they want to be written to; without wishes those stay.

    `before` are the boxes as they were shown; without them, what they want is said of each, whatever was shown.

    Raises:
        ContactUnknown: the person is gone.
    """
    await permissions.set_preferences(
        tx,
        person_id,
        wanted,
        before=before,
        text_shown=text_shown,
        evidence=evidence,
        at=tx.clock.now(),
    )
    if wishes is not None:
        await permissions.set_wishes(tx, person_id, wishes)


async def keep_profile(tx: Tx, person_id: UUID, fields: Mapping[str, str]) -> None:
    """Keep what a person wants to be called, and in what language.

    Raises:
        ContactUnknown: the person is gone.
        ContactInvalid: no name would be left.
        NationalNumberRefused: a field holds a national identity number.
    """
    person = await people_queries.get_for_update(tx, person_id)
    await people.change_contact(
        tx, person, fields, email=None, phone=None, reason="said on the profile page"
    )


async def ask_for_page(tx: Tx, contact: ContactOut, name: str) -> None:
    """Have a link to a short-lived page mailed to the person's own address, once an hour at most.

    Nothing happens for somebody without an e-mail address; the page says so.
    """
    if not contact.email:
        return
    now = tx.clock.now()
    hour = int(now.timestamp()) // 3600
    named = hashlib.blake2b(f"{contact.id}|{name}|{hour}".encode(), digest_size=16).digest()
    path = path_to(tx.use(LinkSigner), name, contact.id, now=now)
    tx.stage(page_requested(UUID(bytes=named), contact, name, path))


async def erase(tx: Tx, person_id: UUID) -> None:
    """Forget a person at their own wish. Raises `ContactUnknown`."""
    tx.audit("contact.erased", str(person_id), by="the person")
    await privacy.erase(tx, person_id)
