"""What each event says, as facts."""

from collections.abc import Iterator
from datetime import datetime

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
        yield Fact(
            kind if human else f"machine_{kind}",
            item.engagement_id,
            item.campaign_id,
            item.cell_id,
            item.person_id,
            label=item.verdict,
            channel=item.channel.value,
            marks={"seen": Mark.earliest(item.seen_at)},
        )
        if human:
            yield from _person(person_kind, item, item.seen_at, item.channel.value)


def _person(
    kind: str, item: Engagement | ResponseRegistered, at: datetime, channel: str = ""
) -> Iterator[Fact]:
    """A person did something in a campaign, counted once: at the first time."""
    if item.campaign_id is not None and item.person_id is not None:
        yield Fact(
            kind,
            person_key(item.campaign_id, kind, item.person_id),
            item.campaign_id,
            item.cell_id,
            item.person_id,
            channel=channel,
            marks={"seen": Mark.earliest(at)},
        )


def withdrawn(items: tuple[Withdrawal, ...]) -> Iterator[Fact]:
    """People have said no."""
    for item in items:
        yield Fact(
            "withdrawal",
            item.withdrawal_id,
            item.campaign_id,
            item.cell_id,
            item.person_id,
            label=item.source,
            marks={"seen": Mark.earliest(item.withdrawn_at)},
        )


def responded(items: tuple[ResponseRegistered, ...]) -> Iterator[Fact]:
    """Pieces were answered."""
    for item in items:
        yield Fact(
            "response",
            item.response_id,
            item.campaign_id,
            item.cell_id,
            item.person_id,
            label=f"{item.kind.value}/{item.way.value}",
            marks={"seen": Mark.earliest(item.responded_at)},
        )
        yield from _person("responder", item, item.responded_at)


def awaited(items: tuple[AnswerDeadline, ...], mark: str) -> Iterator[Fact]:
    """Answers that were promised by a day have `neared` it, or `missed` it."""
    for item in items:
        yield Fact(
            "deadline",
            item.response_id,
            item.campaign_id,
            item.cell_id,
            item.person_id,
            label=item.kind.value,
            marks={mark: Mark.earliest(item.due_at)},
        )


def ordered(items: tuple[OrderCard, ...], mark: str) -> Iterator[Fact]:
    """Orders were `placed`, `shipped`, `paid`, `unpaid` or `cancelled`; the newest version of an order tells its amount."""
    for item in items:
        yield Fact(
            "order",
            item.order_id,
            item.campaign_id,
            item.cell_id,
            item.person_id,
            currency=item.currency,
            marks={mark: Mark(item.version, item.changed_at, item.total_minor)},
        )


def invoiced(items: tuple[InvoiceCard, ...]) -> Iterator[Fact]:
    """Invoices were issued."""
    for item in items:
        yield Fact(
            "invoice",
            item.invoice_id,
            item.campaign_id,
            item.cell_id,
            item.person_id,
            currency=item.currency,
            marks={"issued": Mark(0, item.issued_at, item.total_minor)},
        )


def credited(items: tuple[InvoiceCredited, ...]) -> Iterator[Fact]:
    """Parts of invoices were taken back: each credit note is a mark of its own on the order."""
    for item in items:
        yield Fact(
            "order",
            item.order_id,
            item.campaign_id,
            item.cell_id,
            item.person_id,
            currency=item.currency,
            marks={
                f"{CREDITED}{item.credit_note_id}": Mark(0, item.credited_at, item.amount_minor)
            },
        )


def booked(items: tuple[PaymentBooked, ...]) -> Iterator[Fact]:
    """Money has come in."""
    for item in items:
        yield Fact(
            "payment",
            item.payment_id,
            item.campaign_id,
            item.cell_id,
            item.person_id,
            currency=item.currency,
            marks={"booked": Mark(0, item.booked_at, item.amount_minor)},
        )


def taken_back(items: tuple[PaymentReversed, ...]) -> Iterator[Fact]:
    """The bank took money back: it counts against what came in."""
    for item in items:
        yield Fact(
            "payment",
            item.reversal_id,
            item.campaign_id,
            item.cell_id,
            item.person_id,
            currency=item.currency,
            label="reversed",
            marks={"booked": Mark(0, item.reversed_at, -item.amount_minor)},
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
