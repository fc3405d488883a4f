"""Leads: what visitors post."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import table_of
from contacts_svc.intake import answers, events, queries
from contacts_svc.intake.boxes import boxes_of, ticked
from contacts_svc.intake.model import Form, Lead
from contacts_svc.intake.schemas import LeadIn
from contacts_svc.intake.usecases import claims, guards, knowledge
from contacts_svc.intake.usecases.asking import LEAD_FIELDS, ask_owner
from contacts_svc.people import usecases as people
from contacts_svc.people.model import Draft, OnExisting, Origin, Saved, Verdict
from contacts_svc.permissions import usecases as permissions
from contacts_svc.permissions.model import Statement
from contacts_svc.touched import Family, touch
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

_EMAIL_CHANNELS = (Channel.EMAIL,)
_PHONE_CHANNELS = (Channel.SMS, Channel.PHONE)


@dataclass(slots=True)
class Posted:
    """What a form reads in a post, before anything is looked up."""

    draft: Draft
    fields: dict[str, str]
    answers: dict[str, answers.Answer]
    topics: list[str]
    seen: dict[str, str]
    """The boxes that were ticked, each with the version of the words that was seen."""


def read_post(form: Form, body: LeadIn, *, language: Language) -> Posted:
    """Check a post by what the form asks.

    Raises:
        ContactInvalid: no name, no address, or values that cannot be kept.
        AnswerInvalid: an answer, topic or box that the form does not know, or an answer that is missing.
    """
    fields = {name: str(getattr(body, name) or "") for name in LEAD_FIELDS}
    fields["country"] = fields["country"] or form.country
    fields["language"] = language.value
    said = answers.read_answers(form, body)
    topics = answers.read_topics(form, body)
    seen = ticked(form, body)
    draft = people.make_draft(
        {**fields, "source": form.source, "lifecycle": "lead"},
        email=body.email,
        phone=body.phone,
        after_erasure=True,
    )
    return Posted(draft, fields, said, topics, seen)


def lead_values(
    form: Form,
    posted: Posted,
    person_id: UUID,
    words: Mapping[str, tuple[str, str]],
    *,
    version: str,
    evidence: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """Return a first lead by the names of its columns, but for the visitor; `words` are those of the ticked boxes."""
    return {
        "id": new_id(),
        "form_id": form.id,
        "form_key": form.key,
        "person_id": person_id,
        "is_consented": bool(posted.seen),
        "language": posted.fields["language"],
        "fields": fields_of(posted),
        "text_version": version,
        "evidence": dict(evidence),
        "answers": posted.answers,
        "topics": posted.topics,
        "boxes": {key: told for key, (_, told) in words.items()},
        "times": 1,
        "first_at": now,
        "last_at": now,
    }


async def take_lead(
    tx: Tx, form: Form, body: LeadIn, *, language: Language, evidence: Mapping[str, Any]
) -> Lead:
    """Keep a lead: find or make the person, write the consent down, ask the owner of the address.

    Sending the same again changes nothing and asks nobody a second time. What is known of a person is never changed by
    a lead, because nobody has shown yet that it came from them; it is filled in when they confirm.

    Raises:
        ContactInvalid: no name, no address, or values that cannot be kept.
        AnswerInvalid: an answer, topic or box that the form does not know, or an answer that is missing.
        ProofMissing: the form asks for work, and it was not done.
        TooManyLeads: the form has had its share of this hour.
    """
    posted = read_post(form, body, language=language)
    draft, seen = posted.draft, posted.seen
    await guards.check_form(tx, form)
    await guards.use_proof(tx, form, body.started, body.proof)
    saved = await _person_for(tx, draft)
    assert saved.person_id is not None  # noqa: S101 - one address has at most one owner
    boxes = boxes_of(form)
    words = {
        key: await queries.consent_words(tx, form, boxes[key], language, version)
        for key, version in seen.items()
    }
    _, version = await queries.consent_words(
        tx, form, boxes["consent"], language, body.consent_version
    )
    now = tx.clock.now()
    row = Lead(
        **lead_values(
            form, posted, saved.person_id, words, version=version, evidence=evidence, now=now
        )
    )
    is_certain = not form.double_opt_in or saved.verdict is Verdict.CREATED
    row.visitor_id = await knowledge.meet_visitor(
        tx, body.visitor, saved.person_id, is_certain=is_certain
    )
    lead, new_boxes = await _keep_lead(tx, row)
    if saved.verdict is not Verdict.CREATED:
        await touch(tx, [lead.person_id], Family.INTERACTION)  # who is new is looked at anyway
    if lead.times == 1:
        tx.stage(events.lead_received(lead, form))
    await _enter_consent(tx, form, lead, draft, {key: words[key] for key in new_boxes})
    await knowledge.keep_answers(tx, form, lead, posted.answers, is_confirmed=is_certain)
    if is_certain:
        await knowledge.join_list(tx, form, lead)
        await knowledge.wish_topics(tx, lead)
    if draft.email is not None and knowledge.needs_owner(form, lead):
        await ask_owner(tx, form, lead, draft.email.value)
    await guards.count_post(tx, form)
    return lead


def fields_of(posted: Posted) -> dict[str, str]:
    """Return what was filled in, addresses as they are kept."""
    return {k: v for k, v in posted.fields.items() if v} | dict(posted.draft.keys)


def origin_of(draft: Draft) -> Origin:
    """Return who is said to have made a person that comes of a form."""
    return Origin(f"form:{draft.fields['source']}")


async def _person_for(tx: Tx, draft: Draft) -> Saved:
    origin = origin_of(draft)
    draft.is_claim = True
    (saved,) = await people.save_drafts(tx, [draft], existing=OnExisting.KEEP, origin=origin)
    if saved.verdict is Verdict.REFUSED:
        # Mail and phone belong to two people: the mailbox is what can be asked, so it decides.
        alone = Draft(draft.fields, email=draft.email, after_erasure=True)
        (saved,) = await people.save_drafts(tx, [alone], existing=OnExisting.KEEP, origin=origin)
    return saved


async def _keep_lead(tx: Tx, row: Lead) -> tuple[Lead, set[str]]:
    """Insert the lead or count it again; say which of its boxes were not ticked before."""
    table = table_of(Lead)
    mine = (table.c.form_id == row.form_id) & (table.c.person_id == row.person_id)
    made = await tx.scalar(
        insert(table)
        .values(**row.model_dump())
        .on_conflict_do_nothing(index_elements=["form_id", "person_id"])
        .returning(table.c.id)
    )
    if made is not None:
        return row, set(row.boxes)
    # Two first posts at the same moment: the second has waited in the insert, and sees the first one here.
    held = (
        await tx.execute(select(table.c.boxes, table.c.fields).where(mine).with_for_update())
    ).one()
    before = dict(held.boxes or {})
    kept = await tx.execute(
        update(table)
        .where(mine)
        .values(
            times=table.c.times + 1,
            last_at=row.last_at,
            is_consented=table.c.is_consented | row.is_consented,
            boxes={**row.boxes, **before},
            answers=table.c.answers.op("||")(row.answers),
            topics=row.topics or table.c.topics,
            fields=claims.joined(held.fields, row.fields),
            visitor_id=row.visitor_id or table.c.visitor_id,
        )
        .returning(*table.c)
    )
    return Lead(**kept.one()._asdict()), set(row.boxes) - set(before)


async def _enter_consent(
    tx: Tx, form: Form, lead: Lead, draft: Draft, words: Mapping[str, tuple[str, str]]
) -> None:
    await permissions.record(tx, consents(form, lead, draft, words, now=tx.clock.now()))


def consents(
    form: Form,
    lead: Lead,
    draft: Draft,
    words: Mapping[str, tuple[str, str]],
    *,
    now: datetime,
) -> list[Statement]:
    """Return what the ticked boxes of a lead say, each channel that the draft has an address for and each purpose."""
    state = PermissionState.PENDING if form.double_opt_in else PermissionState.GRANTED
    boxes = boxes_of(form)
    evidence = {**lead.evidence, "form_key": form.key, "lead_id": str(lead.id)}
    return [
        Statement(
            lead.person_id,
            channel,
            Purpose(purpose),
            state,
            f"form {form.key}: {form.source}",
            now,
            text,
            version,
            evidence={**evidence, "box": key},
        )
        for key, (text, version) in words.items()
        for channel in map(Channel, boxes[key].channels)
        if _reaches(channel, draft)
        for purpose in boxes[key].purposes
    ]


def _reaches(channel: Channel, draft: Draft) -> bool:
    return bool(
        (channel in _EMAIL_CHANNELS and draft.email)
        or (channel in _PHONE_CHANNELS and draft.phone)
        or channel is Channel.LETTER
    )
