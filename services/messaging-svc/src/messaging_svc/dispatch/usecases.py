"""Plan messages."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
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
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from kantis_contracts.analytics import ReportMail
from kantis_contracts.campaign import PieceReleasedV1, StepRequestedV1, TestMessage
from kantis_contracts.contacts import ConfirmationRequest, PageRequest
from kantis_contracts.orders import Notice
from kantis_contracts.values import ADVERTISING, Channel
from kantis_kit.db.aliases import placed
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx
from messaging_svc.aliases import person_alias
from messaging_svc.base import Moment, Uid
from messaging_svc.dispatch.mime import Letterhead
from messaging_svc.dispatch.model import State, dispatch, dispatch_source
from messaging_svc.dispatch.recommending import recommended
from messaging_svc.openings.usecases import WAKE
from messaging_svc.products.queries import blocks_of
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
    "cost_minor": BigInteger(), "next_at": Moment,
}  # fmt: skip
_BLANK: dict[str, Any] = {
    "response_code": "", "because": [], "builtin": "", "facts": {}, "is_marketing": False, "channel": "email",
    "priority": 50, "cost_minor": 0,
}  # fmt: skip


def dispatch_key(origin: str, origin_id: UUID, person_id: UUID | None, channel: str) -> str:
    """Return the name of a message, the same for every attempt to plan or send it."""
    name = f"{origin}|{origin_id}|{person_id or ''}|{channel}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def name_of_mail(
    settings: MessagingSettings, origin: str, origin_id: UUID, person_id: UUID | None
) -> str:
    """Return the Message-ID of a mail, the same whenever it is planned or sent."""
    domain = Letterhead(settings.mail_from, "").domain
    return f"<{dispatch_key(origin, origin_id, person_id, Channel.EMAIL.value)}@{domain}>"


async def plan(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
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
    names = [name for name in _PLANNED if name not in ("person_id", "next_at")]
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
                *_start(tx.clock.now(), new.c.next_at),
            ).select_from(stood.source),
        )
        .on_conflict_do_nothing()
    )
    await tx.execute(statement)
    await tx.execute(WAKE)


def _start(now: datetime, begins: ColumnElement[datetime]) -> list[ColumnElement[Any]]:
    """Return the values with which every message begins, most of them at once."""
    return [
        literal(State.PLANNED.value, Text()), literal("", Text()), literal("", Text()), literal(0, Integer()),
        func.coalesce(begins, literal(now, Moment)), literal(now, Moment), literal(0, BigInteger()),
        literal(value=False, type_=Boolean()),
    ]  # fmt: skip


async def _own_products(
    tx: ReadTx, versions: Collection[UUID | None]
) -> dict[UUID | None, dict[str, Any]]:
    """Return by version the products that it shows where a message brings none."""
    rows = await tx.execute(
        select(template_version.c.id, template_version.c.products).where(
            template_version.c.id.in_([one for one in versions if one]),
            template_version.c.products != [],
        )
    )
    named: dict[UUID | None, list[str]] = {row.id: row.products for row in rows}
    blocks = await blocks_of(tx, sorted({sku for skus in named.values() for sku in skus}))
    return {
        version_id: {"products": [blocks[sku] for sku in skus if sku in blocks]}
        for version_id, skus in named.items()
    }


async def plan_pieces(tx: Tx, event: PieceReleasedV1) -> None:
    """Plan a message per piece; what a cell says in a channel is frozen when the first of these pieces comes in."""
    source_id, version_id = await _freeze_source(tx, event)
    own = (await _own_products(tx, [version_id])).get(version_id, {})
    own |= await recommended(tx, version_id, event.offer)
    await plan(
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
                "facts": own | facts_of(piece),
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
        .on_conflict_do_nothing(index_elements=["launch_id", "cell_id", "channel"])
    )
    await tx.execute(statement)
    found = await tx.execute(
        select(dispatch_source.c.id, dispatch_source.c.template_version_id).where(
            dispatch_source.c.launch_id == event.launch_id,
            dispatch_source.c.cell_id == event.cell_id,
            dispatch_source.c.channel == event.channel.value,
        )
    )
    row = found.one()
    return row.id, row.template_version_id


async def plan_steps(tx: Tx, event: StepRequestedV1) -> None:
    """Plan what a step says to people, with the template as it is now: a rule lives longer than its first words.

    Whether it advertises follows from its class; the gate sees to it that the template of a notice does not sell.
    """
    source_id = await _source_of_step(tx, event)
    version_id = await tx.scalar(select(_current_version(event.template_id)))
    own = await recommended(tx, version_id, event.offer)
    await plan(
        tx,
        [
            {
                "origin": "step",
                "origin_id": step.step_id,
                "person_id": step.person_id,
                "channel": event.channel,
                "is_marketing": event.message_class in ADVERTISING,
                "purpose": event.purpose,
                "source_id": source_id,
                "because": list(step.because),
                "facts": own | facts_of(step) | ({"known": step.facts} if step.facts else {}),
                "template_version_id": version_id,
                "not_after": event.not_after,
                "priority": event.priority,
                "cost_minor": event.cost_per_piece_minor,
            }
            for step in event.items
        ],
    )


async def _source_of_step(tx: Tx, event: StepRequestedV1) -> UUID:
    asker = event.asker
    await tx.execute(
        insert(dispatch_source)
        .values(
            id=new_id(),
            asker_kind=asker.kind,
            asker_id=asker.id,
            asker_version=asker.version,
            step=asker.step,
            message_class=event.message_class.value,
            class_reason=event.class_reason,
            campaign_name=asker.name,
            key_code="",
            cell_name="",
            segment_name="",
            channel=event.channel.value,
            purpose=event.purpose.value,
            template_id=event.template_id,
            offer=event.offer.model_dump(mode="json") if event.offer else None,
            cost_per_piece_minor=event.cost_per_piece_minor,
            currency=event.currency,
            topic=event.topic,
            list_id=event.list_id,
            created_at=tx.clock.now(),
        )
        .on_conflict_do_nothing()
    )
    found = await tx.scalars(
        select(dispatch_source.c.id).where(
            dispatch_source.c.asker_id == asker.id,
            dispatch_source.c.asker_version == asker.version,
            dispatch_source.c.step == asker.step,
            dispatch_source.c.channel == event.channel.value,
        )
    )
    source_id: UUID = found.one()
    return source_id


async def plan_confirmations(tx: Tx, requests: Sequence[ConfirmationRequest]) -> None:
    """Plan the mails that ask for a confirmation; they go to the address of the request itself."""
    base = tx.settings(MessagingSettings).public_url.rstrip("/")
    await plan(
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
    await plan(
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


async def plan_report_mails(tx: Tx, mails: Sequence[ReportMail]) -> None:
    """Plan the mails that bring reports to people of the company, who are nobody's register entry."""
    base = tx.settings(MessagingSettings).public_url.rstrip("/")
    await plan(
        tx,
        [
            {
                "origin": "confirmation",
                "origin_id": mail.mail_id,
                "builtin": mail.kind,
                "facts": {
                    "report_name": mail.report_name,
                    "report_days": f"{mail.since} – {mail.until}",
                }
                | ({"file_url": f"{base}/{mail.path.lstrip('/')}"} if mail.path else {}),
                "to_email": mail.to_email,
                "language": mail.language,
                "preferred_name": mail.preferred_name,
            }
            for mail in mails
            if mail.kind in FACTS
        ],
    )


async def plan_notices(tx: Tx, notices: Sequence[Notice]) -> None:
    """Plan what customers must be told; sent whatever they think of marketing."""
    await plan(
        tx,
        [
            {
                "origin": "notice",
                "origin_id": notice.notice_id,
                "person_id": notice.person_id,
                "channel": notice.channel.value,
                "builtin": notice.kind,
                "facts": dict(notice.facts),
            }
            for notice in notices
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
    own = await _own_products(tx, versions.values())
    await plan(
        tx,
        [
            {
                "origin": "test",
                "origin_id": test.test_id,
                "template_version_id": versions.get(test.template_id),
                "to_email": test.to_email,
                "language": test.language,
                "preferred_name": test.preferred_name,
                "facts": {
                    "offer": test.offer.model_dump(mode="json") if test.offer else None,
                    **own.get(versions.get(test.template_id), {}),
                },
            }
            for test in tests
        ],
    )
