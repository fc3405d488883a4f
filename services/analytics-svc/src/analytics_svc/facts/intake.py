"""What each event says, as facts."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from analytics_svc.facts.model import CREDITED, Fact, Mark, person_key
from kantis_contracts.campaign import PieceReleasedV1
from kantis_contracts.contacts import LeadReceived
from kantis_contracts.messaging import Engagement, Settled, Withdrawal
from kantis_contracts.orders import (
    AnswerDeadline,
    InvoiceCard,
    InvoiceCredited,
    OrderCard,
    PaymentBooked,
    PaymentReversed,
    ResponseRegistered,
)


class _Placed(Protocol):
    """An item that says to whom, and to which campaign and cell, it belongs."""

    @property
    def campaign_id(self) -> UUID | None: ...
    @property
    def cell_id(self) -> UUID | None: ...
    @property
    def person_id(self) -> UUID | None: ...


def _fact(
    kind: str,
    key: UUID,
    item: _Placed,
    marks: Mapping[str, Mark],
    *,
    currency: str = "",
    label: str = "",
    channel: str = "",
) -> Fact:
    return Fact(
        kind,
        key,
        item.campaign_id,
        item.cell_id,
        item.person_id,
        currency=currency,
        label=label,
        channel=channel,
        marks=marks,
    )


def released(event: PieceReleasedV1, at: datetime) -> Iterator[Fact]:
    """Pieces are planned, at the price of their cell."""
    mark = Mark(0, at, event.cost_per_piece_minor)
    for item in event.items:
        yield Fact(
            "piece",
            item.piece_id,
            event.campaign_id,
            event.cell_id,
            item.person_id,
            currency=event.currency,
            channel=event.channel.value,
            marks={"released": mark},
        )


def settled(items: tuple[Settled, ...]) -> Iterator[Fact]:
    """Pieces have ended; a message without a piece (a test, a notice) counts for no campaign."""
    for item in items:
        is_piece = item.piece_id is not None
        yield Fact(
            "piece" if is_piece else "message",
            item.piece_id or item.message_id,
            item.campaign_id if is_piece else None,
            item.cell_id if is_piece else None,
            item.person_id,
            channel=item.channel.value,
            marks={item.state.value: Mark(0, item.settled_at)},
        )


def engaged(items: tuple[Engagement, ...], *, kind: str, person_kind: str) -> Iterator[Fact]:
    """People, or machines that read their mail for them, have opened or clicked."""
    for item in items:
        human = item.verdict == "human"
        yield _fact(
            kind if human else f"machine_{kind}",
            item.engagement_id,
            item,
            {"seen": Mark.earliest(item.seen_at)},
            label=item.verdict,
            channel=item.channel.value,
        )
        if human:
            yield from _person(person_kind, item, item.seen_at, item.channel.value)


def _person(
    kind: str, item: Engagement | ResponseRegistered, at: datetime, channel: str = ""
) -> Iterator[Fact]:
    """A person did something in a campaign, counted once: at the first time."""
    if item.campaign_id is not None and item.person_id is not None:
        yield _fact(
            kind,
            person_key(item.campaign_id, kind, item.person_id),
            item,
            {"seen": Mark.earliest(at)},
            channel=channel,
        )


def withdrawn(items: tuple[Withdrawal, ...]) -> Iterator[Fact]:
    """People have said no."""
    for item in items:
        yield _fact(
            "withdrawal",
            item.withdrawal_id,
            item,
            {"seen": Mark.earliest(item.withdrawn_at)},
            label=item.source,
        )


def responded(items: tuple[ResponseRegistered, ...]) -> Iterator[Fact]:
    """Pieces were answered."""
    for item in items:
        yield _fact(
            "response",
            item.response_id,
            item,
            {"seen": Mark.earliest(item.responded_at)},
            label=f"{item.kind.value}/{item.way.value}",
        )
        yield from _person("responder", item, item.responded_at)


def awaited(items: tuple[AnswerDeadline, ...], mark: str) -> Iterator[Fact]:
    """Answers that were promised by a day have `neared` it, or `missed` it."""
    for item in items:
        yield _fact(
            "deadline",
            item.response_id,
            item,
            {mark: Mark.earliest(item.due_at)},
            label=item.kind.value,
        )


def ordered(items: tuple[OrderCard, ...], mark: str) -> Iterator[Fact]:
    """Orders were `placed`, `shipped`, `paid`, `unpaid` or `cancelled`; the newest version of an order tells its amount."""
    for item in items:
        yield _fact(
            "order",
            item.order_id,
            item,
            {mark: Mark(item.version, item.changed_at, item.total_minor)},
            currency=item.currency,
        )


def invoiced(items: tuple[InvoiceCard, ...]) -> Iterator[Fact]:
    """Invoices were issued."""
    for item in items:
        yield _fact(
            "invoice",
            item.invoice_id,
            item,
            {"issued": Mark(0, item.issued_at, item.total_minor)},
            currency=item.currency,
        )


def credited(items: tuple[InvoiceCredited, ...]) -> Iterator[Fact]:
    """Parts of invoices were taken back: each credit note is a mark of its own on the order."""
    for item in items:
        yield _fact(
            "order",
            item.order_id,
            item,
            {f"{CREDITED}{item.credit_note_id}": Mark(0, item.credited_at, item.amount_minor)},
            currency=item.currency,
        )


def booked(items: tuple[PaymentBooked, ...]) -> Iterator[Fact]:
    """Money has come in."""
    for item in items:
        yield _fact(
            "payment",
            item.payment_id,
            item,
            {"booked": Mark(0, item.booked_at, item.amount_minor)},
            currency=item.currency,
        )


def taken_back(items: tuple[PaymentReversed, ...]) -> Iterator[Fact]:
    """The bank took money back: it counts against what came in."""
    for item in items:
        yield _fact(
            "payment",
            item.reversal_id,
            item,
            {"booked": Mark(0, item.reversed_at, -item.amount_minor)},
            currency=item.currency,
            label="reversed",
        )


def leads(items: tuple[LeadReceived, ...], at: datetime) -> Iterator[Fact]:
    """Web sites have posted leads."""
    for item in items:
        yield Fact(
            "lead",
            item.lead_id,
            person_id=item.person_id,
            label=item.form_key,
            marks={"seen": Mark.earliest(at)},
        )
