"""What is done with forms and leads."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.intake import events, queries
from contacts_svc.intake.errors import ConsentReworded, FormKeyTaken
from contacts_svc.intake.model import (
    Confirmation,
    ConfirmationSlot,
    ConsentText,
    Form,
    FormTrap,
    Lead,
)
from contacts_svc.intake.schemas import FormIn, LeadIn
from contacts_svc.people import queries as people_queries
from contacts_svc.people import usecases as people
from contacts_svc.people.model import Draft, OnExisting, Origin, Person, Verdict
from contacts_svc.people.rules import address_hash, canonical, normalise_email
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import PermissionNow, Statement
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.auth.links import LinkSigner
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

ASK_AGAIN_AFTER = timedelta(hours=24)
QUESTION_LIVES = timedelta(days=14)
RETRY_TIMER = "intake.confirmation"
LEAD_FIELDS = (
    "preferred_name",
    "given_name",
    "family_name",
    "full_name",
    "street",
    "postal_code",
    "city",
    "country",
    "language",
)
_EMAIL_CHANNELS = (Channel.EMAIL,)
_PHONE_CHANNELS = (Channel.SMS, Channel.PHONE)


async def save_form(tx: Tx, body: FormIn, form: Form | None = None) -> Form:
    """Make a form, or bring one to what `body` says; each wording of the consent is kept.

    Raises:
        FormKeyTaken: another form has this key.
        ConsentReworded: other words under a version that exists.
    """
    now = tx.clock.now()
    values = body.model_dump(mode="json")
    if form is None:
        form = Form(id=new_id(), created_at=now, updated_at=now, version=1, **values)
        made = await tx.scalar(
            insert(table_of(Form))
            .values(**form.model_dump())
            .on_conflict_do_nothing(index_elements=["key"])
            .returning(table_of(Form).c.id)
        )
        if made is None:
            raise FormKeyTaken(f"Choose another key than {body.key}, or change that form")
    else:
        if body.key != form.key:
            raise FormKeyTaken(
                "The key is the form's address and stays; make a new form for a new address"
            )
        for name, value in values.items():
            setattr(form, name, value)
        form.version, form.updated_at = form.version + 1, now
    await _keep_words(tx, form.id, body)
    return form


async def _keep_words(tx: Tx, form_id: UUID, body: FormIn) -> None:
    for language, consent in body.consent.items():
        await tx.execute(
            insert(table_of(ConsentText))
            .values(
                form_id=form_id,
                language=language.value,
                version=consent.version,
                words=consent.text,
            )
            .on_conflict_do_nothing()
        )
        kept = await tx.scalar(
            select(col(ConsentText.words)).where(
                col(ConsentText.form_id) == form_id,
                col(ConsentText.language) == language.value,
                col(ConsentText.version) == consent.version,
            )
        )
        if kept != consent.text:
            raise ConsentReworded(
                f"consent.{language.value}: version {consent.version} has other words, and people have seen them; "
                "give the new words a new version"
            )


async def count_machine(tx: Tx, form: Form) -> None:
    """Count something that filled in the field that people do not see; nothing else is kept of it."""
    caught = insert(table_of(FormTrap)).values(
        form_id=form.id, on_day=tx.clock.now().date(), caught=1
    )
    await tx.execute(
        caught.on_conflict_do_update(
            index_elements=["form_id", "on_day"], set_={"caught": table_of(FormTrap).c.caught + 1}
        )
    )


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


async def ask_owner(tx: Tx, form: Form, lead: Lead, email: str) -> None:
    """Have the owner of the address asked, unless all was confirmed, or this mailbox was asked within 24 hours.

    A question that must wait for its turn is asked when the 24 hours are over.
    """
    granted = set(
        await tx.scalars(
            select(col(PermissionNow.purpose)).where(
                col(PermissionNow.person_id) == lead.person_id,
                col(PermissionNow.channel) == Channel.EMAIL.value,
                col(PermissionNow.state) == PermissionState.GRANTED.value,
            )
        )
    )
    open_purposes = [purpose for purpose in form.purposes if purpose not in granted]
    if not open_purposes or Channel.EMAIL.value not in form.channels:
        return
    now = tx.clock.now()
    mailbox = canonical(normalise_email(email))
    slots = table_of(ConfirmationSlot)
    slot = insert(slots).values(address=mailbox, last_at=now)
    mine = await tx.scalar(
        slot.on_conflict_do_update(
            index_elements=["address"],
            set_={"last_at": slot.excluded.last_at},
            where=slots.c.last_at <= now - ASK_AGAIN_AFTER,
        ).returning(slots.c.address)
    )
    asked = await tx.scalar(
        select(col(Confirmation.id)).where(
            col(Confirmation.lead_id) == lead.id,
            col(Confirmation.requested_at) > now - ASK_AGAIN_AFTER,
        )
    )
    if mine is None:
        if asked is None:
            last_at = await tx.scalar(select(slots.c.last_at).where(slots.c.address == mailbox))
            await tx.schedule(
                RETRY_TIMER,
                str(lead.id),
                (last_at or now) + ASK_AGAIN_AFTER,
                {"lead_id": lead.id, "email": email},
            )
        return
    words, version = await queries.consent_words(
        tx, form, Language(lead.language), lead.text_version
    )
    question = Confirmation(
        id=new_id(),
        lead_id=lead.id,
        form_id=form.id,
        person_id=lead.person_id,
        email=email,
        language=lead.language,
        purposes=open_purposes,
        text_shown=words,
        text_version=version,
        requested_at=now,
        expires_at=now + QUESTION_LIVES,
    )
    tx.add(question)
    await tx.cancel(RETRY_TIMER, [str(lead.id)])
    token = tx.use(LinkSigner).make("confirm", question.id.bytes, expires_at=question.expires_at)
    person = await tx.get(Person, lead.person_id)
    name = person.preferred_name if person else ""
    tx.stage(
        events.confirmation_requested(
            question, form, preferred_name=name, path=f"/p/confirm/{token}"
        )
    )


async def ask_later(tx: Tx, lead_id: UUID, email: str) -> None:
    """Ask the owner now that the mailbox may be asked again; nothing when the person is gone."""
    lead = await tx.get(Lead, lead_id)
    person = await tx.get(Person, lead.person_id) if lead else None
    if lead is None or person is None or person.is_erased:
        return
    await ask_owner(tx, await queries.get_form_by_id(tx, lead.form_id), lead, email)


async def forget_leads(tx: Tx, person_id: UUID) -> None:
    """Delete what a person has posted, and the questions about it."""
    leads = await tx.scalars(
        delete(table_of(Lead)).where(col(Lead.person_id) == person_id).returning(col(Lead.id))
    )
    await tx.cancel(RETRY_TIMER, [str(lead_id) for lead_id in leads])
    emails = await tx.scalars(
        delete(table_of(Confirmation))
        .where(col(Confirmation.person_id) == person_id)
        .returning(col(Confirmation.email))
    )
    mailboxes = {canonical(normalise_email(email)) for email in emails}
    await tx.execute(
        delete(table_of(ConfirmationSlot)).where(
            col(ConfirmationSlot.address).in_(sorted(mailboxes))
        )
    )


async def forget_slots(tx: Tx) -> None:
    """Delete what counts mailboxes, once they may be asked again."""
    await tx.execute(
        delete(table_of(ConfirmationSlot)).where(
            col(ConfirmationSlot.last_at) < tx.clock.now() - ASK_AGAIN_AFTER
        )
    )


async def confirm(tx: Tx, question: queries.OpenQuestion, *, evidence: Mapping[str, Any]) -> None:
    """Enter the owner's yes; a second press changes nothing."""
    asked, form = question.confirmation, question.form
    now = tx.clock.now()
    table = table_of(Confirmation)
    first = await tx.scalar(
        update(table)
        .where(table.c.id == asked.id, table.c.confirmed_at.is_(None))
        .values(confirmed_at=now)
        .returning(table.c.id)
    )
    if first is None:
        return
    lead = await tx.get(Lead, asked.lead_id)
    posted = lead.evidence if lead else {}
    proof = {
        **evidence,
        "form_key": form.key,
        "lead_id": str(asked.lead_id),
        "confirmation_id": str(asked.id),
        "asked_at": asked.requested_at.isoformat(),
        "address_hash": address_hash(
            people_queries.suppression_key(tx), ("email", asked.email)
        ).hex(),
        "posted": {**posted, "at": lead.first_at.isoformat() if lead else ""},
    }
    await permissions.record(
        tx,
        [
            Statement(
                asked.person_id,
                Channel.EMAIL,
                Purpose(purpose),
                PermissionState.GRANTED,
                f"form {form.key}: {form.source}",
                now,
                asked.text_shown,
                asked.text_version,
                evidence=proof,
            )
            for purpose in asked.purposes
        ],
    )
    if lead is not None:
        await _fill_in(tx, lead)


async def _fill_in(tx: Tx, lead: Lead) -> None:
    """Fill what is not known of the person with what they had posted, now that it is theirs."""
    person = await people_queries.get_for_update(tx, lead.person_id)
    named = {name for name in LEAD_FIELDS if name not in ("country", "language")}
    empty = {
        name: value
        for name, value in lead.fields.items()
        if name in named and value and not getattr(person, name)
    }
    if empty:
        await people.change_contact(tx, person, empty, email=None, phone=None)
