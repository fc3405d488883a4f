"""Read calls, lists and what is known of people."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, func, or_, select

from kantis_contracts.values import Channel
from kantis_kit.tx import ReadTx
from messaging_svc.aliases import person_alias
from messaging_svc.dispatch.model import dispatch, dispatch_source
from messaging_svc.hours.queries import hours_by_country
from messaging_svc.hours.schemas import HoursOut
from messaging_svc.inbound.model import inbound_message
from messaging_svc.phone import sql
from messaging_svc.phone.errors import BatchNotFound, CallNotFound
from messaging_svc.phone.model import (
    call,
    call_batch,
    call_file,
    call_outcome,
    insight_card,
    link_card,
)
from messaging_svc.phone.schemas import (
    AnswerOut,
    BatchOut,
    CallOut,
    EarlierOut,
    FileOut,
    KnownOut,
    ListOut,
    ListWithReasons,
    ReasonOut,
    RoleOut,
)
from messaging_svc.phone.scripts import Scripts
from messaging_svc.phone.vocabulary import BUILTIN, Effect, Word
from messaging_svc.register.model import person_card
from messaging_svc.settings import MessagingSettings

_EARLIER, _KNOWN = 10, 50


async def words(tx: ReadTx) -> dict[str, Word]:
    """Return the words for how calls end: ours, and the company's own."""
    own = await tx.execute(select(call_outcome).order_by(call_outcome.c.code))
    return dict(BUILTIN) | {
        row.code: Word(row.code, Effect(row.effect), row.words, row.wait_minutes, is_own=True)
        for row in own
    }


async def known_persons(tx: ReadTx, ids: Collection[UUID]) -> list[UUID]:
    """Return of which of these persons we hold a card."""
    return list(
        await tx.scalars(select(person_card.c.person_id).where(person_card.c.person_id.in_(ids)))
    )


async def get_call_row(tx: ReadTx, call_id: UUID, *, lock: bool = False) -> Row[Any]:
    """Return a call.

    Raises:
        CallNotFound: there is none.
    """
    statement = select(call).where(call.c.id == call_id)
    row = (await tx.execute(statement.with_for_update() if lock else statement)).first()
    if row is None:
        raise CallNotFound("No call has this id")
    return row


async def lock_calls(tx: ReadTx, ids: Collection[UUID]) -> dict[UUID, Row[Any]]:
    """Return calls with what the ledger says of them, locked in one order."""
    found = await tx.execute(
        select(
            call,
            dispatch.c.fence.label("message_fence"),
            dispatch.c.state.label("message_state"),
            dispatch.c.attempts,
            dispatch.c.next_at,
            dispatch.c.not_after,
            dispatch.c.source_id,
            func.coalesce(person_card.c.time_zone, "UTC").label("time_zone"),
        )
        .join(dispatch, dispatch.c.id == call.c.message_id)
        .outerjoin(person_card, person_card.c.person_id == dispatch.c.person_id)
        .where(call.c.id.in_(ids))
        .order_by(call.c.id)
        .with_for_update(of=call)
    )
    return {row.id: row for row in found}


async def get_call(tx: ReadTx, call_id: UUID) -> CallOut:
    """Return a call with all that somebody needs to know before they call.

    Raises:
        CallNotFound: there is none.
    """
    found = await _list_calls(tx, call.c.id == call_id)
    if not found:
        raise CallNotFound("No call has this id")
    return found[0]


async def list_open_calls(tx: ReadTx, batch_id: UUID, *, after: int, limit: int) -> list[CallOut]:
    """Return the calls of a list behind a position that have no outcome yet, in their order."""
    of_list = (call.c.batch_id == batch_id) & (call.c.position > after)
    return await _list_calls(tx, of_list & (call.c.state == "open"), limit=limit)


async def _list_calls(
    tx: ReadTx, condition: ColumnElement[bool], *, limit: int = 1
) -> list[CallOut]:
    found = await tx.execute(
        select(
            call,
            dispatch.c.origin, dispatch.c.is_marketing, dispatch.c.purpose, dispatch.c.source_id, dispatch.c.response_code,
            dispatch.c.template_version_id, dispatch.c.builtin, dispatch.c.facts, dispatch.c.rfc_message_id,
            dispatch.c.attempts, dispatch.c.because, dispatch_source.c.campaign_id,
            func.coalesce(dispatch_source.c.campaign_name, "").label("campaign_name"), dispatch_source.c.offer,
            func.coalesce(dispatch.c.language, person_card.c.language, "en").label("language"),
            func.coalesce(dispatch.c.preferred_name, person_card.c.preferred_name, "").label("preferred_name"),
            person_card.c.time_zone, func.coalesce(person_card.c.country, "").label("country"),
        )
        .join(dispatch, dispatch.c.id == call.c.message_id)
        .outerjoin(dispatch_source, dispatch_source.c.id == dispatch.c.source_id)
        .outerjoin(person_card, person_card.c.person_id == dispatch.c.person_id)
        .where(condition)
        .order_by(call.c.position, call.c.id)
        .limit(limit)
    )  # fmt: skip
    rows = found.all()
    known = await _known(tx, [row.person_id for row in rows if row.person_id])
    scripts = Scripts(tx.settings(MessagingSettings))
    hours = await hours_by_country(tx, Channel.PHONE)
    return [
        _shown(
            tx,
            row,
            known.get(row.person_id) or _NOTHING,
            await scripts.write(tx, row),
            _in_words(hours(row.country)),
        )
        for row in rows
    ]


class _Known:
    """What is known of a person."""

    def __init__(self) -> None:
        self.needs: list[KnownOut] = []
        self.roles: list[RoleOut] = []
        self.earlier: list[EarlierOut] = []
        self.answers: list[AnswerOut] = []


_NOTHING = _Known()


async def _known(tx: ReadTx, ids: Collection[UUID]) -> dict[UUID, _Known]:
    """Return by person what was learned, what they are where, how earlier calls ended, and what they wrote.

    What came in under an id that was merged into a person is about them, too.
    """
    if not ids:
        return {}
    merged = await tx.execute(
        select(person_alias.c.merged_id, person_alias.c.known_id).where(
            person_alias.c.known_id.in_(ids)
        )
    )
    leads = {id_: id_ for id_ in ids} | {row.merged_id: row.known_id for row in merged}
    found = {id_: _Known() for id_ in ids}
    now = tx.clock.now()

    def of(row: Row[Any]) -> _Known:
        return found[leads[row.person_id]]

    for row in await tx.execute(
        select(insight_card)
        .where(
            insight_card.c.person_id.in_(leads),
            ~insight_card.c.is_taken_back,
            or_(insight_card.c.until.is_(None), insight_card.c.until > now),
        )
        .order_by(insight_card.c.strength.desc(), insight_card.c.said_at.desc())
    ):
        if len(of(row).needs) < _KNOWN:
            of(row).needs.append(KnownOut.model_validate(row))
    for row in await tx.execute(
        select(link_card)
        .where(
            link_card.c.person_id.in_(leads), ~link_card.c.is_removed, ~link_card.c.do_not_contact
        )
        .order_by(link_card.c.relevance.desc(), link_card.c.is_main.desc(), link_card.c.link_id)
    ):
        of(row).roles.append(RoleOut.model_validate(row))
    for row in await tx.execute(
        select(call)
        .where(call.c.person_id.in_(leads), call.c.state == "ended")
        .order_by(call.c.ended_at.desc())
    ):
        if len(of(row).earlier) < _EARLIER:
            of(row).earlier.append(EarlierOut.model_validate(row))
    for row in await tx.execute(
        select(inbound_message)
        .where(inbound_message.c.person_id.in_(leads))
        .order_by(inbound_message.c.received_at.desc())
    ):
        if len(of(row).answers) < _EARLIER:
            of(row).answers.append(AnswerOut.model_validate(row))
    return found


def _in_words(hours: HoursOut | None) -> str:
    days = enumerate(hours.days if hours else [], start=1)
    return ", ".join(f"{day} {one.opens}-{one.closes}" for day, one in days if one)


def _shown(
    tx: ReadTx, row: Row[Any], known: _Known, written: tuple[str, str, str], hours: str
) -> CallOut:
    script, language, problem = written
    return CallOut(
        **{
            name: getattr(row, name)
            for name in (
                "id", "message_id", "position", "state", "caller", "attempt", "taken_at", "held_until", "phone", "person_id",
                "preferred_name", "language", "campaign_id", "campaign_name", "response_code", "offer", "because",
                "outcome", "call_back_at",
            )
        },
        local_time=tx.clock.now().astimezone(ZoneInfo(row.time_zone)) if row.time_zone else None,
        hours=hours,
        script=script,
        script_language=language,
        problem=problem,
        needs=known.needs,
        roles=known.roles,
        earlier=known.earlier,
        answers=known.answers,
    )  # fmt: skip


async def next_due(tx: ReadTx, campaign_id: UUID | None) -> datetime | None:
    """Return when the next call falls due; None when no more is planned."""
    statement = select(func.min(dispatch.c.next_at)).where(
        dispatch.c.state == "planned", dispatch.c.channel == "phone"
    )
    if campaign_id is not None:
        statement = statement.join(
            dispatch_source, dispatch_source.c.id == dispatch.c.source_id
        ).where(dispatch_source.c.campaign_id == campaign_id)
    due: datetime | None = await tx.scalar(statement)
    return due


async def list_lists(
    tx: ReadTx, *, campaign_id: UUID | None = None, after: UUID | None = None, limit: int = 1
) -> list[ListOut]:
    """Return the calls of campaigns, counted."""
    rows = await tx.execute(
        sql.LISTS,
        {"now": tx.clock.now(), "campaign": campaign_id, "after": after, "limit": limit},
    )
    return [ListOut.model_validate(row) for row in rows]


async def get_list(tx: ReadTx, campaign_id: UUID) -> ListWithReasons:
    """Return the calls of a campaign, with the reasons.

    Raises:
        CallNotFound: the campaign has none.
    """
    found = await list_lists(tx, campaign_id=campaign_id)
    if not found:
        raise CallNotFound("No call of this campaign was ever planned")
    reasons = await tx.execute(sql.REASONS, {"campaign": campaign_id})
    return ListWithReasons(
        **found[0].model_dump(), reasons=[ReasonOut.model_validate(row) for row in reasons]
    )


async def list_batches(tx: ReadTx, *, after: UUID | None, limit: int) -> list[BatchOut]:
    """Return the lists that were given out, in the order of their making."""
    statement = _batches().order_by(call_batch.c.id).limit(limit)
    if after:
        statement = statement.where(call_batch.c.id > after)
    return [BatchOut.model_validate(row) for row in await tx.execute(statement)]


async def get_batch(tx: ReadTx, batch_id: UUID) -> BatchOut:
    """Return a list that was given out.

    Raises:
        BatchNotFound: there is none.
    """
    row = (await tx.execute(_batches().where(call_batch.c.id == batch_id))).first()
    if row is None:
        raise BatchNotFound("No list of calls has this id")
    return BatchOut.model_validate(row)


def _batches() -> Select[Any]:
    def count(state: str) -> ColumnElement[int]:
        return (
            select(func.count())
            .where(call.c.batch_id == call_batch.c.id, call.c.state == state)
            .scalar_subquery()
            .label(state)
        )

    return select(call_batch, count("ended"), count("open"))


async def get_file(
    tx: ReadTx, batch_id: UUID, *, file_id: UUID | None = None, sha256: bytes = b""
) -> FileOut:
    """Return what became of a file of outcomes, by its id or its content.

    Raises:
        BatchNotFound: the list got no such file.
    """
    which = call_file.c.id == file_id if file_id else call_file.c.sha256 == sha256
    row = (
        await tx.execute(select(call_file).where(call_file.c.batch_id == batch_id, which))
    ).first()
    if row is None:
        raise BatchNotFound("No file with this id came back for this list")
    return FileOut(**{**row._mapping, "is_repeat": True})  # noqa: SLF001 - its public name
