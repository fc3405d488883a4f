"""Read the ledger."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from kantis_kit.db.aliases import resolve
from kantis_kit.tx import ReadTx
from messaging_svc.aliases import person_alias
from messaging_svc.dispatch.errors import MessageNotFound
from messaging_svc.dispatch.model import State, dispatch, dispatch_source
from messaging_svc.dispatch.schemas import (
    CampaignWhy,
    GateWhy,
    MessageOut,
    PermissionWhy,
    SegmentWhy,
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
    "cannot_be_written": "The mail could not be made for this recipient",
    "refused": "The mail server refused it for good",
    "gave_up": "The mail server put it off too often",
    "put_off": "The mail server put it off; it will be tried again",
    "no_answer": "It was handed over and no answer came: it may have been delivered, so it is not repeated",
    "resolved_by_hand": "A person found out what became of it",
}


def _messages() -> Select[Any]:
    return select(
        *(dispatch.c[name] for name in (
            "id", "origin", "state", "channel", "is_marketing", "person_id", "piece_id", "response_code", "rule",
            "reason", "attempts", "planned_at", "handed_over_at", "settled_at", "merged_id",
        )),
        dispatch.c.rfc_message_id.label("message_id"),
        dispatch_source.c.campaign_id, dispatch_source.c.cell_id, dispatch_source.c.key_code,
    ).outerjoin(dispatch_source, dispatch_source.c.id == dispatch.c.source_id)  # fmt: skip


async def list_messages(
    tx: ReadTx,
    *,
    campaign_id: UUID | None = None,
    person_id: UUID | None = None,
    state: State | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[MessageOut]:
    """Return a page of messages in the order of their planning."""
    statement = _messages().order_by(dispatch.c.id).limit(limit)
    if campaign_id:
        statement = statement.where(dispatch_source.c.campaign_id == campaign_id)
    if person_id:
        leads = await resolve(tx, person_alias, [person_id])
        statement = statement.where(dispatch.c.person_id == leads.get(person_id, person_id))
    if state:
        statement = statement.where(dispatch.c.state == state.value)
    if after:
        statement = statement.where(dispatch.c.id > after)
    return [MessageOut.model_validate(row) for row in await tx.execute(statement)]


async def get_message(tx: ReadTx, message_id: UUID) -> MessageOut:
    """Return one message.

    Raises:
        MessageNotFound: there is none.
    """
    row = (await tx.execute(_messages().where(dispatch.c.id == message_id))).first()
    if row is None:
        raise MessageNotFound("No message has this id")
    return MessageOut.model_validate(row)


async def explain(tx: ReadTx, message_id: UUID) -> Why:
    """Return the chain from segment and permission to the answer of the mail server.

    Raises:
        MessageNotFound: there is no such message.
    """
    message = await get_message(tx, message_id)
    columns = (
        dispatch, dispatch_source.c.campaign_name, dispatch_source.c.launch_id, dispatch_source.c.cell_name,
        dispatch_source.c.segment_id, dispatch_source.c.segment_name, dispatch_source.c.offer,
        dispatch_source.c.cost_per_piece_minor, dispatch_source.c.currency,
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
    return _why(message, found.one())


def _why(message: MessageOut, row: Row[Any]) -> Why:
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
        permission=PermissionWhy.model_validate(row.permission) if row.permission else None,
        gate=GateWhy(verdict=verdict, rule=row.rule, sentence=_SENTENCES.get(row.rule, row.rule)),
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


async def sources_of(tx: ReadTx, ids: Collection[UUID]) -> dict[UUID, tuple[UUID, UUID]]:
    """Return campaign and cell of each source."""
    if not ids:
        return {}
    found = await tx.execute(
        select(
            dispatch_source.c.id, dispatch_source.c.campaign_id, dispatch_source.c.cell_id
        ).where(dispatch_source.c.id.in_(ids))
    )
    return {row.id: (row.campaign_id, row.cell_id) for row in found}
