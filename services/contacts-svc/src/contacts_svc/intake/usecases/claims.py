"""Phones that leads name for people who are known: nobody has shown that they are theirs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from contacts_svc.base import table_of
from contacts_svc.intake.model import OTHER_PHONE, PHONE, Form, Lead
from contacts_svc.people import usecases as people
from contacts_svc.people.errors import AddressTaken, ContactInvalid, ErasedBefore
from contacts_svc.people.model import Identifier, Person
from kantis_kit.tx import Tx


def joined(held: Mapping[str, Any] | None, posted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a lead keeps when it is posted again: what it said first stands, a phone that is new comes beside."""
    kept = dict(held or {})
    phone = posted.get(PHONE)
    if phone and kept.setdefault(PHONE, phone) != phone:
        kept[OTHER_PHONE] = phone
    return kept


async def adopt(tx: Tx, person: Person, lead: Lead, form: Form, *, confirmed_email: str) -> None:
    """Give a locked person the phone of a lead that the owner of their mailbox has confirmed, when nobody has it.

    It comes beside what they have and is the first only where they have none; its source is the form.
    """
    phone = lead.fields.get(PHONE)
    if not phone or OTHER_PHONE in lead.fields:
        return
    table = table_of(Identifier)
    held = await tx.execute(
        select(table.c.kind, table.c.person_id, table.c.is_identifying).where(
            ((table.c.kind == "phone") & (table.c.value == phone))
            | ((table.c.kind == "email") & (table.c.value == confirmed_email))
        )
    )
    rows = list(held)
    is_theirs = any(row.kind == "email" and row.person_id == person.id for row in rows)
    if not is_theirs or any(row.kind == "phone" for row in rows):
        return
    given = {
        "label": "", "source": f"form:{form.key}", "valid_from": None, "valid_to": None,
        "is_primary": False, "is_shared": False,
    }  # fmt: skip
    try:
        await people.add_identifier(
            tx,
            person,
            kind="phone",
            value=phone,
            given=given,
            reason=f"confirmed in form {form.key}",
        )
    except (AddressTaken, ContactInvalid, ErasedBefore):
        # Somebody took it this moment, they have fifty, or its owner has asked to be forgotten: the lead keeps it.
        return
