"""Reads of forms and confirmations."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, column, func, select, table
from sqlmodel import col

from contacts_svc.base import plain
from contacts_svc.intake.boxes import Box
from contacts_svc.intake.errors import FormUnknown
from contacts_svc.intake.model import (
    OTHER_PHONE,
    PHONE,
    Confirmation,
    ConsentText,
    DownloadAsset,
    Form,
    FormTrap,
    FormVersion,
    Lead,
)
from contacts_svc.intake.schemas import ClaimOut, ConsentOut, FormOut, FormVersionOut, LeadOut
from contacts_svc.people.model import Identifier, Person
from contacts_svc.people.queries import get_contact
from contacts_svc.people.rules import canonical, normalise_email
from kantis_contracts.values import Channel, Language
from kantis_kit.tx import ReadTx, Tx


async def get_form(tx: ReadTx, key: str) -> Form:
    """Return an open form by its key. Raises `FormUnknown`."""
    form: Form | None = None
    if "\x00" not in key:
        form = await tx.scalar(select(Form).where(col(Form.key) == key, col(Form.is_active)))
    if form is None:
        raise FormUnknown("The address is misspelt, or the form has been closed")
    return form


async def get_form_by_id(tx: ReadTx, form_id: UUID) -> Form:
    """Return a form, open or closed. Raises `FormUnknown`."""
    form = await tx.get(Form, form_id)
    if form is None:
        raise FormUnknown
    return form


async def lock_form(tx: Tx, form_id: UUID) -> Form:
    """Return a form, locked. Raises `FormUnknown`."""
    form: Form | None = await tx.scalar(
        select(Form).where(col(Form.id) == form_id).with_for_update()
    )
    if form is None:
        raise FormUnknown
    return form


async def show_form(tx: ReadTx, form_id: UUID) -> FormOut:
    """Return a form for its owners. Raises `FormUnknown`."""
    form = await get_form_by_id(tx, form_id)
    caught = await tx.scalar(
        select(func.coalesce(func.sum(col(FormTrap.caught)), 0)).where(
            col(FormTrap.form_id) == form_id
        )
    )
    return _out(form, int(caught))


def _out(form: Form, caught: int) -> FormOut:
    shown: dict[str, Any] = form.model_dump()
    shown["consent"] = {language: ConsentOut(**words) for language, words in form.consent.items()}
    return FormOut(**shown, caught_machines=caught)


async def list_forms(tx: ReadTx) -> list[FormOut]:
    """Return every form by its key."""
    caught = {
        form_id: int(count)
        for form_id, count in plain(
            await tx.execute(
                select(col(FormTrap.form_id), func.sum(col(FormTrap.caught))).group_by(
                    col(FormTrap.form_id)
                )
            )
        )
    }
    forms = await tx.scalars(select(Form).order_by(col(Form.key)).limit(1_000))
    return [_out(form, caught.get(form.id, 0)) for form in forms]


def languages_of(form: Form) -> list[Language]:
    """Return the languages in which a form has texts."""
    return [Language(name) for name in form.consent]


async def consent_words(
    tx: ReadTx, form: Form, box: Box, language: Language, version: str
) -> tuple[str, str]:
    """Return the words and version that a visitor has seen; the present ones when theirs are not known."""
    present = box.words(language, form.default_language)
    if version and version != present[1] and "\x00" not in version:
        words = await tx.scalar(
            select(col(ConsentText.words)).where(
                col(ConsentText.form_id) == form.id,
                col(ConsentText.box) == box.key,
                col(ConsentText.language) == language.value,
                col(ConsentText.version) == version,
            )
        )
        if words is not None:
            return words, version
    return present


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A confirmation as its page shows it."""

    confirmation: Confirmation
    form: Form


async def find_question(tx: ReadTx, confirmation_id: UUID) -> OpenQuestion | None:
    """Return a confirmation whose person is still known, and still has the address that was asked; or None."""
    rows = plain(
        await tx.execute(
            select(Confirmation, Form)
            .join(Form, col(Form.id) == col(Confirmation.form_id))
            .join(Person, col(Person.id) == col(Confirmation.person_id))
            .where(col(Confirmation.id) == confirmation_id, ~col(Person.is_erased))
        )
    )
    if not rows:
        return None
    question = OpenQuestion(*rows[0])
    # The yes of a mailbox that is no longer theirs would allow mail to another one, which nobody has asked.
    held = await tx.scalars(
        select(col(Identifier.value)).where(
            col(Identifier.person_id) == question.confirmation.person_id,
            col(Identifier.kind) == Channel.EMAIL.value,
        )
    )
    asked = canonical(normalise_email(question.confirmation.email))
    theirs = {canonical(normalise_email(value)) for value in held}
    return question if asked in theirs else None


async def list_versions(tx: ReadTx, form_id: UUID) -> list[FormVersionOut]:
    """Return a form as it was in each of its versions, the newest first."""
    rows = await tx.scalars(
        select(FormVersion)
        .where(col(FormVersion.form_id) == form_id)
        .order_by(col(FormVersion.version).desc())
        .limit(200)
    )
    return [FormVersionOut.model_validate(row) for row in rows]


async def list_leads(
    tx: ReadTx, form_id: UUID, *, before: UUID | None, limit: int
) -> list[LeadOut]:
    """Return what was posted to a form, the newest first."""
    wanted = select(Lead).where(col(Lead.form_id) == form_id)
    if before is not None:
        wanted = wanted.where(col(Lead.id) < before)
    rows = await tx.scalars(wanted.order_by(col(Lead.id).desc()).limit(limit))
    return [LeadOut.model_validate(row) for row in rows]


async def list_claims(tx: ReadTx, contact_id: UUID) -> list[ClaimOut]:
    """Return the phones that leads name for a contact who does not have them, the newest first. Raises `ContactUnknown`."""
    contact = await get_contact(tx, contact_id)
    held = {one.value for one in contact.identifiers}
    leads = await tx.scalars(
        select(Lead).where(col(Lead.person_id) == contact.id).order_by(col(Lead.last_at).desc())
    )
    return [
        ClaimOut(
            phone=lead.fields[name],
            source=f"form:{lead.form_key}",
            lead_id=lead.id,
            claimed_at=lead.last_at,
        )
        for lead in leads
        for name in (PHONE, OTHER_PHONE)
        if name in lead.fields and lead.fields[name] not in held
    ]


async def is_list(tx: ReadTx, segment_id: UUID) -> bool:
    """Say whether there is such a list. Lists belong to the segments, which stand above this slice."""
    segments = table("segment", column("id", Uuid()))
    found = await tx.scalar(select(segments.c.id).where(segments.c.id == segment_id))
    return found is not None


async def find_file(tx: ReadTx, asset_id: UUID) -> DownloadAsset | None:
    """Return a file by its id, or None."""
    return await tx.get(DownloadAsset, asset_id)


async def find_asset_id(tx: ReadTx, form_id: UUID) -> UUID | None:
    """Return the id of a form's newest file, or None."""
    asset_id: UUID | None = await tx.scalar(
        select(col(DownloadAsset.id))
        .where(col(DownloadAsset.form_id) == form_id)
        .order_by(col(DownloadAsset.id).desc())
        .limit(1)
    )
    return asset_id
