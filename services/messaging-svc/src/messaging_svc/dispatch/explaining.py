"""Why a person got, or did not get, a message: the chain from segment and permission to the mail server's answer."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from kantis_kit.tx import ReadTx
from messaging_svc.caps.conditions import MONTH_SECONDS
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.model import State, dispatch, dispatch_source
from messaging_svc.dispatch.queries import get_message
from messaging_svc.dispatch.schemas import (
    CampaignWhy,
    CapWhy,
    DecisionWhy,
    GateWhy,
    MessageOut,
    PermissionWhy,
    SegmentWhy,
    StepWhy,
    TemplateWhy,
    TimesWhy,
    Why,
)
from messaging_svc.templates.model import template, template_version

_SENTENCES = {
    "": "Not decided yet",
    "allowed": "The gate let it pass",
    "expired": "It was not sent before its time ran out",
    "channel_not_available": "This installation cannot send in this channel",
    "erased": "The person has been erased",
    "template_unknown": "Its template does not exist here",
    "sells_in_notice": "It is to go without permission, and its template is written to sell",
    "told_already": "The same person got this campaign under an id that was merged",
    "waits_for_person": "The person's card has not arrived yet",
    "person_unknown": "The person's card never arrived",
    "no_address": "The person has no address in this channel",
    "address_undeliverable": "What was sent to this address has come back",
    "address_suppressed": "The address is on the suppression list",
    "do_not_contact": "The person is not to be contacted",
    "not_before": "The person is not to be approached before a later day",
    "suppressed_everything": "The address is suppressed for everything that advertises",
    "suppressed_channel": "The address is suppressed for this channel",
    "suppressed_topic": "The address is suppressed for this topic",
    "suppressed_list": "The address is suppressed for this list",
    "withdrawn": "The person has said no to us directly",
    "paused": "The person has asked for a pause",
    "topic_refused": "The person does not want this topic",
    "waits_for_permission": "News of the permission has not arrived yet",
    "no_permission": "The person never gave this permission",
    "permission_pending": "The permission waits for its confirmation",
    "permission_withdrawn": "The person has withdrawn this permission",
    "launch_stopped": "A person has stopped the launch",
    "waits_for_resume": "The launch is paused; it waits until a person resumes it",
    "waits_for_hours": "It waits for the hours in which messages may begin where the person is",
    "waits_for_wished_hours": "It waits for the hours and days that the person wishes",
    "no_common_hours": "The hours that the person wishes and those in which we may write never meet",
    "frequency_cap": "The person has got as many messages as a cap allows",
    "waits_for_turn": "Messages that come before it may fill a cap; it waits for what becomes of them",
    "waits_for_budget": "A spend cap is reached; it waits until a person raises it or the next period begins",
    "waits_for_domain": "Its mail domain is limited, or puts mails off and is left alone for a while",
    "waits_for_relay": "The mail servers for its domain are away or busy; it is tried again soon",
    "ready": "The gate has looked at it; it waits for somebody who calls, and is decided on then",
    "no_contact_in_any_role": "In none of the organisations where the person has a role may they be called",
    "waits_for_more_relevant": "Somebody more relevant answers the same number; it waits for that call",
    "less_relevant": "Somebody more relevant was called on the same number",
    "not_reached": "Nobody was reached, as often as a person is called",
    "wrong_number": "The number is not the person's",
    "gone": "The person is not to be reached there any more",
    "cannot_be_written": "The mail could not be made for this recipient",
    "refused": "The mail server refused it for good",
    "gave_up": "The mail server put it off too often",
    "put_off": "The mail server put it off; it will be tried again",
    "no_answer": "It was handed over and no answer came: it may have been delivered, so it is not repeated",
    "reconciled": "The log of the mail server says that it was sent before the database was restored",
    "settled_by_log": "The log of the mail server told what became of it",
    "resolved_by_hand": "A person found out what became of it",
}


async def explain(tx: ReadTx, message_id: UUID) -> Why:
    """Return the chain from segment and permission to the answer of the mail server.

    Raises:
        MessageNotFound: there is no such message.
    """
    message = await get_message(tx, message_id)
    columns = (
        dispatch, dispatch_source.c.campaign_name, dispatch_source.c.launch_id, dispatch_source.c.cell_name,
        dispatch_source.c.segment_id, dispatch_source.c.segment_name, dispatch_source.c.offer,
        dispatch_source.c.cost_per_piece_minor, dispatch_source.c.currency, dispatch_source.c.asker_kind,
        dispatch_source.c.asker_id, dispatch_source.c.asker_version, dispatch_source.c.step,
        dispatch_source.c.message_class, dispatch_source.c.class_reason,
        template.c.id.label("template_id"), template.c.name.label("template_name"),
        template_version.c.number.label("template_number"),
    )  # fmt: skip
    found = await tx.execute(
        select(*columns)
        .outerjoin(dispatch_source, dispatch_source.c.id == dispatch.c.source_id)
        .outerjoin(template_version, template_version.c.id == dispatch.c.template_version_id)
        .outerjoin(template, template.c.id == template_version.c.template_id)
        .where(dispatch.c.id == message_id)
    )
    caps = [
        CapWhy.model_validate(row)
        for row in await tx.execute(
            sql.CAPS_BEFORE, {"id": message_id, "now": tx.clock.now(), "month": MONTH_SECONDS}
        )
    ]
    return _why(message, found.one(), caps)


def _why(message: MessageOut, row: Row[Any], caps: list[CapWhy]) -> Why:
    campaign = segment = used = None
    if message.campaign_id is not None and message.cell_id is not None:
        campaign = CampaignWhy(
            campaign_id=message.campaign_id,
            name=row.campaign_name,
            launch_id=row.launch_id,
            cell_id=message.cell_id,
            cell_name=row.cell_name,
            key_code=message.key_code or "",
            offer=row.offer,
            cost_per_piece_minor=row.cost_per_piece_minor,
            currency=row.currency,
        )
        segment = SegmentWhy(segment_id=row.segment_id, name=row.segment_name, because=row.because)
    step = None
    if row.asker_id is not None:
        step = StepWhy(
            kind=row.asker_kind,
            id=row.asker_id,
            name=row.campaign_name,
            version=row.asker_version,
            step=row.step,
            message_class=row.message_class,
            class_reason=row.class_reason,
            because=row.because,
            facts=row.facts.get("known") or {},
        )
    if row.template_id is not None:
        used = TemplateWhy(
            template_id=row.template_id,
            version_id=row.template_version_id,
            number=row.template_number,
            name=row.template_name,
        )
    stopped = row.state in (State.SUPPRESSED, State.EXPIRED) or row.rule in (
        "template_unknown",
        "person_unknown",
    )
    verdict = (
        "stopped"
        if stopped
        else "waits"
        if row.rule.startswith("waits_") or not row.rule
        else "passed"
    )
    return Why(
        message=message,
        campaign=campaign,
        segment=segment,
        step=step,
        permission=PermissionWhy.model_validate(row.permission) if row.permission else None,
        gate=GateWhy(
            verdict=verdict,
            rule=row.rule,
            sentence=_SENTENCES.get(row.rule, row.rule),
            decisions=[
                DecisionWhy(sentence=_SENTENCES.get(one["rule"], one["rule"]), **one)
                for one in row.decisions
            ],
            caps=caps,
        ),
        template=used,
        builtin=row.builtin,
        times=TimesWhy(
            planned_at=row.planned_at,
            claimed_at=row.claimed_at,
            handed_over_at=row.handed_over_at,
            settled_at=row.settled_at,
            not_after=row.not_after,
            next_attempt_at=row.next_at if row.state == State.PLANNED else None,
        ),
    )
