"""Plan messages."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    ScalarSelect,
    Text,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from kantis_contracts.campaign import PieceReleasedV1, TestMessage
from kantis_contracts.contacts import ConfirmationRequest, PageRequest
from kantis_contracts.orders import Notice
from kantis_contracts.values import Channel
from kantis_kit.db.aliases import placed
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from messaging_svc.aliases import person_alias
from messaging_svc.base import Moment, Uid
from messaging_svc.dispatch import sql
from messaging_svc.dispatch.mime import Letterhead
from messaging_svc.dispatch.model import State, dispatch, dispatch_source
from messaging_svc.sets import recordset
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.blocks import facts_of
from messaging_svc.templates.builtin import FACTS
from messaging_svc.templates.model import template, template_version

_PLANNED: Mapping[str, Any] = {
    "id": Uid, "origin": Text(), "origin_id": Uid, "person_id": Uid, "channel": Text(), "is_marketing": Boolean(),
    "purpose": Text(), "source_id": Uid, "piece_id": Uid, "response_code": Text(), "because": JSONB(),
    "template_version_id": Uid, "builtin": Text(), "facts": JSONB(), "to_email": Text(), "to_phone": Text(),
    "language": Text(), "preferred_name": Text(), "not_after": Moment, "rfc_message_id": Text(), "priority": Integer(),
    "cost_minor": BigInteger(),
}  # fmt: skip
_BLANK: dict[str, Any] = {
    "response_code": "", "because": [], "builtin": "", "facts": {}, "is_marketing": False, "channel": "email",
    "priority": 50, "cost_minor": 0,
}  # fmt: skip


def dispatch_key(origin: str, origin_id: UUID, person_id: UUID | None, channel: str) -> str:
    """Return the name of a message, the same for every attempt to plan or send it."""
    name = f"{origin}|{origin_id}|{person_id or ''}|{channel}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


async def _plan(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows that are not there yet, and wake the senders when this commits."""
    domain = Letterhead(tx.settings(MessagingSettings).mail_from, "").domain
    full = [_BLANK | row | {"id": new_id()} for row in rows]
    for row in full:
        key = dispatch_key(row["origin"], row["origin_id"], row.get("person_id"), row["channel"])
        row["rfc_message_id"] = f"<{key}@{domain}>"
    # Two deliveries that plan the same messages meet them in the same order.
    full.sort(key=lambda row: (str(row["origin_id"]), str(row.get("person_id") or "")))
    new = recordset("new", full, **_PLANNED)
    stood = placed(person_alias, new)
    names = [name for name in _PLANNED if name != "person_id"]
    statement = (
        insert(dispatch)
        .from_select(
            [
                *names,
                "person_id",
                "merged_id",
                "state",
                "rule",
                "reason",
                "attempts",
                "next_at",
                "planned_at",
                "fence",
                "is_announced",
            ],
            select(
                *(new.c[name] for name in names),
                stood.stands,
                stood.came,
                *_start(tx.clock.now()),
            ).select_from(stood.source),
        )
        .on_conflict_do_nothing()
    )
    await tx.execute(statement)
    await tx.execute(sql.WAKE)


def _start(now: datetime) -> list[ColumnElement[Any]]:
    """Return the values with which every message begins."""
    return [
        literal(State.PLANNED.value, Text()), literal("", Text()), literal("", Text()), literal(0, Integer()),
        literal(now, Moment), literal(now, Moment), literal(0, BigInteger()), literal(value=False, type_=Boolean()),
    ]  # fmt: skip


async def plan_pieces(tx: Tx, event: PieceReleasedV1) -> None:
    """Plan a message per piece; the cell's template version is frozen when the first of its pieces comes in."""
    source_id, version_id = await _freeze_source(tx, event)
    await _plan(
        tx,
        [
            {
                "origin": "campaign",
                "origin_id": event.launch_id,
                "person_id": piece.person_id,
                "channel": event.channel,
                "is_marketing": True,
                "purpose": event.purpose,
                "source_id": source_id,
                "piece_id": piece.piece_id,
                "response_code": piece.response_code,
                "because": list(piece.because),
                "facts": facts_of(piece),
                "template_version_id": version_id,
                "not_after": event.not_after,
                "priority": event.priority,
                "cost_minor": event.cost_per_piece_minor,
            }
            for piece in event.items
        ],
    )


def _current_version(template_id: UUID) -> ScalarSelect[Any]:
    return (
        select(template_version.c.id)
        .join(template, template.c.id == template_version.c.template_id)
        .where(template.c.id == template_id, template_version.c.number == template.c.version)
        .scalar_subquery()
    )


async def _freeze_source(tx: Tx, event: PieceReleasedV1) -> tuple[UUID, UUID | None]:
    statement = (
        insert(dispatch_source)
        .values(
            id=new_id(),
            launch_id=event.launch_id,
            cell_id=event.cell_id,
            campaign_id=event.campaign_id,
            campaign_name=event.campaign_name,
            key_code=event.key_code,
            cell_name=event.cell_name,
            segment_id=event.segment_id,
            segment_name=event.segment_name,
            channel=event.channel.value,
            purpose=event.purpose.value,
            template_id=event.template_id,
            template_version_id=_current_version(event.template_id),
            offer=event.offer.model_dump(mode="json") if event.offer else None,
            cost_per_piece_minor=event.cost_per_piece_minor,
            currency=event.currency,
            topic=event.topic,
            list_id=event.list_id,
            created_at=tx.clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["launch_id", "cell_id"])
    )
    await tx.execute(statement)
    found = await tx.execute(
        select(dispatch_source.c.id, dispatch_source.c.template_version_id).where(
            dispatch_source.c.launch_id == event.launch_id,
            dispatch_source.c.cell_id == event.cell_id,
        )
    )
    row = found.one()
    return row.id, row.template_version_id


async def plan_confirmations(tx: Tx, requests: Sequence[ConfirmationRequest]) -> None:
    """Plan the mails that ask for a confirmation; they go to the address of the request itself."""
    base = tx.settings(MessagingSettings).public_url.rstrip("/")
    await _plan(
        tx,
        [
            {
                "origin": "confirmation",
                "origin_id": request.request_id,
                "person_id": request.person_id,
                "builtin": "confirmation",
                "facts": {"confirm_url": f"{base}/{request.confirm_path.lstrip('/')}"},
                "to_email": request.email,
                "language": request.language,
                "preferred_name": request.preferred_name,
            }
            for request in requests
        ],
    )


async def plan_page_links(tx: Tx, requests: Sequence[PageRequest]) -> None:
    """Plan the mails that bring people the links to their own pages, each to the address that they have proved."""
    base = tx.settings(MessagingSettings).public_url.rstrip("/")
    await _plan(
        tx,
        [
            {
                "origin": "confirmation",
                "origin_id": request.request_id,
                "person_id": request.person_id,
                "builtin": f"own_{request.page}",
                "facts": {"confirm_url": f"{base}/{request.path.lstrip('/')}"},
                "to_email": request.email,
                "language": request.language,
                "preferred_name": request.preferred_name,
            }
            for request in requests
            if f"own_{request.page}" in FACTS
        ],
    )


async def plan_notices(tx: Tx, notices: Sequence[Notice]) -> None:
    """Plan what customers must be told; sent whatever they think of marketing."""
    await _plan(
        tx,
        [
            {
                "origin": "notice",
                "origin_id": notice.notice_id,
                "person_id": notice.person_id,
                "builtin": notice.kind,
                "facts": dict(notice.facts),
            }
            for notice in notices
        ],
    )


@dataclass(frozen=True, slots=True)
class TextReply:
    """An answer by text message; there is one per `answer_id`, however often it is planned."""

    answer_id: UUID
    person_id: UUID | None
    to_phone: str
    language: str
    text: str


async def plan_replies(tx: Tx, replies: Sequence[TextReply]) -> None:
    """Plan answers to people who have written; they go to the number that wrote."""
    await _plan(
        tx,
        [
            {
                "origin": "reply",
                "origin_id": one.answer_id,
                "person_id": one.person_id,
                "channel": Channel.SMS.value,
                "builtin": "plain_text",
                "facts": {"text": one.text},
                "to_phone": one.to_phone,
                "language": one.language,
            }
            for one in replies
        ],
    )


async def plan_tests(tx: Tx, tests: Sequence[TestMessage]) -> None:
    """Plan test messages to addresses of our own."""
    wanted = {test.template_id for test in tests}
    found = await tx.execute(
        select(template_version.c.template_id, template_version.c.id)
        .join(template, template.c.id == template_version.c.template_id)
        .where(template.c.id.in_(wanted), template_version.c.number == template.c.version)
    )
    versions = {row.template_id: row.id for row in found}
    await _plan(
        tx,
        [
            {
                "origin": "test",
                "origin_id": test.test_id,
                "template_version_id": versions.get(test.template_id),
                "to_email": test.to_email,
                "language": test.language,
                "preferred_name": test.preferred_name,
                "facts": {"offer": test.offer.model_dump(mode="json") if test.offer else None},
            }
            for test in tests
        ],
    )


_WAITING_FOR_NEWS = (
    "", "waits_for_person", "waits_for_permission", "waits_for_hours", "waits_for_wished_hours",
)  # fmt: skip


async def retry_waiting(tx: Tx, persons: Sequence[UUID]) -> None:
    """Let messages that wait for news of these persons be decided on now.

    Those that nobody has decided on yet are asked for as well: one that is being decided on right now, from what was
    known before this news, is waited for, and does not sleep through it.
    """
    if not persons:
        return
    waiting = (
        update(dispatch)
        .where(
            dispatch.c.state == State.PLANNED.value,
            dispatch.c.rule.in_(_WAITING_FOR_NEWS),
            dispatch.c.person_id.in_(persons),
        )
        .values(next_at=tx.clock.now())
        .returning(dispatch.c.id)
    )
    if (await tx.scalars(waiting)).first() is not None:
        await tx.execute(sql.WAKE)
