"""What each event says, as facts."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from analytics_svc.facts.model import Fact, Mark, person_key
from kantis_contracts.campaign import PieceReleasedV1
from kantis_contracts.contacts import LeadReceived
from kantis_contracts.messaging import Engagement, Settled, Withdrawal
from kantis_contracts.orders import InvoiceCard, OrderCard, PaymentBooked, ResponseRegistered


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
            marks={"seen": Mark.earliest(item.seen_at)},
        )
        if human:
            yield from _person(
                person_kind, item.campaign_id, item.cell_id, item.person_id, item.seen_at
            )


def _person(
    kind: str, campaign_id: UUID | None, cell_id: UUID | None, person_id: UUID | None, at: datetime
) -> Iterator[Fact]:
    """A person did something in a campaign, counted once: at the first time."""
    if campaign_id is not None and person_id is not None:
        yield Fact(
            kind,
            person_key(campaign_id, kind, person_id),
            campaign_id,
            cell_id,
            person_id,
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
        yield from _person(
            "responder", item.campaign_id, item.cell_id, item.person_id, item.responded_at
        )


def ordered(items: tuple[OrderCard, ...], mark: str) -> Iterator[Fact]:
    """Orders were `placed`, `shipped`, `paid` or `cancelled`; the newest version of an order tells its amount."""
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
