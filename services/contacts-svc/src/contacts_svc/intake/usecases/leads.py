"""Leads: what visitors post."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import table_of
from contacts_svc.intake import events, queries
from contacts_svc.intake.model import (
    Form,
    Lead,
)
from contacts_svc.intake.schemas import LeadIn
from contacts_svc.intake.usecases.asking import LEAD_FIELDS, ask_owner
from contacts_svc.people import usecases as people
from contacts_svc.people.model import Draft, OnExisting, Origin, Verdict
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import Statement
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

_EMAIL_CHANNELS = (Channel.EMAIL,)
_PHONE_CHANNELS = (Channel.SMS, Channel.PHONE)


async def take_lead(
    tx: Tx, form: Form, body: LeadIn, *, language: Language, evidence: Mapping[str, Any]
) -> Lead:
    """Keep a lead: find or make the person, write the consent down, ask the owner of the address.

    Sending the same again changes nothing and asks nobody a second time. What is known of a person is never changed by
    a lead, because nobody has shown yet that it came from them; it is filled in when they confirm.

    Raises:
        ContactInvalid: no name, no address, or values that cannot be kept.
    """
    fields = {name: str(getattr(body, name) or "") for name in LEAD_FIELDS}
    fields["country"] = fields["country"] or form.country
    fields["language"] = language.value
    draft = people.make_draft(
        {**fields, "source": form.source, "lifecycle": "lead"},
        email=body.email,
        phone=body.phone,
        after_erasure=True,
    )
    person_id = await _person_for(tx, draft)
    words, version = await queries.consent_words(tx, form, language, body.consent_version)
    now = tx.clock.now()
    row = Lead(
        id=new_id(),
        form_id=form.id,
        form_key=form.key,
        person_id=person_id,
        is_consented=body.consent,
        language=language.value,
        fields={k: v for k, v in fields.items() if v} | _given(draft),
        text_version=version,
        evidence=dict(evidence),
        first_at=now,
        last_at=now,
    )
    lead, is_new_consent = await _keep_lead(tx, row)
    if lead.times == 1:
        tx.stage(events.lead_received(lead, form))
    if is_new_consent:
        await _enter_consent(tx, form, lead, draft, words=words, version=version)
    if lead.is_consented and form.double_opt_in and draft.email is not None:
        await ask_owner(tx, form, lead, draft.email.value)
    return lead


def _given(draft: Draft) -> dict[str, str]:
    return {address.kind.value: address.value for address in draft.addresses}


async def _person_for(tx: Tx, draft: Draft) -> UUID:
    origin = Origin(f"form:{draft.fields['source']}")
    (saved,) = await people.save_drafts(tx, [draft], existing=OnExisting.KEEP, origin=origin)
    if saved.verdict is Verdict.REFUSED:
        # Mail and phone belong to two people: the mailbox is what can be asked, so it decides.
        alone = Draft(draft.fields, email=draft.email, after_erasure=True)
        (saved,) = await people.save_drafts(tx, [alone], existing=OnExisting.KEEP, origin=origin)
    assert saved.person_id is not None  # noqa: S101 - one address has at most one owner
    return saved.person_id


async def _keep_lead(tx: Tx, row: Lead) -> tuple[Lead, bool]:
    """Insert the lead or count it again; say whether its consent is new."""
    table = table_of(Lead)
    new = insert(table).values(**row.model_dump())
    before = await tx.scalar(
        select(table.c.is_consented)
        .where(table.c.form_id == row.form_id, table.c.person_id == row.person_id)
        .with_for_update()
    )
    kept = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["form_id", "person_id"],
            set_={
                "times": table.c.times + 1,
                "last_at": new.excluded.last_at,
                "is_consented": table.c.is_consented | new.excluded.is_consented,
            },
        ).returning(*table.c)
    )
    lead = Lead(**kept.one()._asdict())
    # Two first posts at the same moment: the second waited in the upsert and sees `times` 2.
    is_new = row.is_consented and (lead.times == 1 or before is False)
    return lead, is_new


async def _enter_consent(
    tx: Tx, form: Form, lead: Lead, draft: Draft, *, words: str, version: str
) -> None:
    state = PermissionState.PENDING if form.double_opt_in else PermissionState.GRANTED
    reached = [
        channel
        for channel in map(Channel, form.channels)
        if (channel in _EMAIL_CHANNELS and draft.email)
        or (channel in _PHONE_CHANNELS and draft.phone)
        or channel is Channel.LETTER
    ]
    evidence = {**lead.evidence, "form_key": form.key, "lead_id": str(lead.id)}
    await permissions.record(
        tx,
        [
            Statement(
                lead.person_id,
                channel,
                Purpose(purpose),
                state,
                f"form {form.key}: {form.source}",
                tx.clock.now(),
                words,
                version,
                evidence=evidence,
            )
            for channel in reached
            for purpose in form.purposes
        ],
    )
