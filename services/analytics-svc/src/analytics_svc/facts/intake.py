"""What each event says, as facts."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Protocol
from uuid import UUID

from analytics_svc.facts.model import (
    CREDITED,
    Fact,
    Mark,
    permission_key,
    person_key,
    step_key,
)
from kantis_contracts.campaign import PieceReleasedV1, StepRequestedV1, SurveyAnswered
from kantis_contracts.contacts import LeadReceived, PermissionEntry, PermissionState
from kantis_contracts.messaging import Engagement, LetterIdentified, Settled, Withdrawal
from kantis_contracts.orders import (
    AnswerDeadline,
    DunningChanged,
    InvoiceCard,
    InvoiceCredited,
    OrderCard,
    OrderReturn,
    PaymentBooked,
    PaymentReversed,
    PostReturned,
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


def asked(event: StepRequestedV1, at: datetime) -> Iterator[Fact]:
    """Rules and programmes want messages, at their price."""
    mark = Mark(0, at, event.cost_per_piece_minor)
    for item in event.items:
        yield Fact(
            "step",
            step_key(item.step_id, item.person_id, event.channel.value),
            person_id=item.person_id,
            currency=event.currency,
            label=event.asker.kind,
            channel=event.channel.value,
            marks={"released": mark},
        )


def settled(items: tuple[Settled, ...]) -> Iterator[Fact]:
    """Messages have ended: of a campaign (pieces), of rules and programmes (steps), or of neither (notices, tests)."""
    for item in items:
        marks = {item.state.value: Mark(0, item.settled_at)}
        channel = item.channel.value
        if item.piece_id is not None:
            yield _fact("piece", item.piece_id, item, marks, channel=channel)
            continue
        kind, key = "message", item.message_id
        if item.step_id is not None and item.person_id is not None:
            kind, key = "step", step_key(item.step_id, item.person_id, channel)
        yield Fact(kind, key, person_id=item.person_id, channel=channel, marks=marks)


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
    """Answers that are promised by a day have `neared` it, or `missed` it."""
    for item in items:
        yield _fact(
            "response",
            item.response_id,
            item,
            {mark: Mark.earliest(item.due_at)},
            label=item.kind.value,
        )


def ordered(items: tuple[OrderCard, ...], mark: str) -> Iterator[Fact]:
    """Orders were `placed`, `changed`, `shipped`, `paid`, `unpaid` or `cancelled`; the newest version of an order tells its amount."""
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
            {
                "issued": Mark(0, item.issued_at, item.total_minor),
                "due": Mark(0, datetime.combine(item.due_on, time(), UTC)),
            },
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
    """Money has come in; with what leaves nothing open, the invoice is settled."""
    for item in items:
        yield _fact(
            "payment",
            item.payment_id,
            item,
            {"booked": Mark(0, item.booked_at, item.amount_minor)},
            currency=item.currency,
        )
        if item.open_minor <= 0:
            settled_ = {"settled": Mark(_moment(item.booked_at), item.booked_at)}
            yield _fact("invoice", item.invoice_id, item, settled_, currency=item.currency)


def taken_back(items: tuple[PaymentReversed, ...]) -> Iterator[Fact]:
    """The bank took money back: it counts against what came in, and the invoice is open again."""
    for item in items:
        yield _fact(
            "payment",
            item.reversal_id,
            item,
            {"booked": Mark(0, item.reversed_at, -item.amount_minor)},
            currency=item.currency,
            label="reversed",
        )
        reopened = {"reopened": Mark(_moment(item.reversed_at), item.reversed_at)}
        yield _fact("invoice", item.invoice_id, item, reopened, currency=item.currency)


def _moment(at: datetime) -> int:
    """Return the rank of a mark of which the latest account holds."""
    return int(at.timestamp() * 1_000_000)


def dunned(items: tuple[DunningChanged, ...]) -> Iterator[Fact]:
    """Invoices that are not paid are followed up: how many reminders there were."""
    for item in items:
        yield Fact(
            "invoice",
            item.invoice_id,
            item.campaign_id,
            person_id=item.person_id,
            currency=item.currency,
            marks={"reminded": Mark(item.version, item.changed_at, item.reminders)},
        )


def sent_back(items: tuple[OrderReturn, ...]) -> Iterator[Fact]:
    """Goods came back and were credited."""
    for item in items:
        yield _fact(
            "return",
            item.return_id,
            item,
            {"returned": Mark(0, item.returned_at, item.refund_minor)},
            currency=item.currency,
            label="withdrawal" if item.is_withdrawal else "other",
        )


def came_back(items: tuple[PostReturned, ...]) -> Iterator[Fact]:
    """The post brought pieces back."""
    for item in items:
        yield Fact(
            "post",
            item.return_id,
            item.campaign_id,
            person_id=item.person_id,
            label=f"{item.kind.value}/{item.reason.value}",
            marks={"came": Mark.earliest(item.came_at)},
        )


def identified(items: tuple[LetterIdentified, ...], at: datetime) -> Iterator[Fact]:
    """It became known which pieces the post brought back: what they had cost is lost."""
    for item in items:
        if item.piece_id is not None:
            yield Fact(
                "piece",
                item.piece_id,
                item.campaign_id,
                person_id=item.person_id,
                marks={"came_back": Mark.earliest(at)},
            )


def allowed(items: tuple[PermissionEntry, ...]) -> Iterator[Fact]:
    """People say yes or no to a purpose in a channel; each version of that is a mark."""
    for item in items:
        is_yes = item.state is PermissionState.GRANTED
        channel, purpose = item.channel.value, item.purpose.value
        yield Fact(
            "permission",
            permission_key(item.person_id, channel, purpose),
            person_id=item.person_id,
            label=purpose,
            channel=channel,
            marks={f"v{item.version}": Mark(item.version, item.occurred_at, int(is_yes))},
        )


def scored(items: tuple[SurveyAnswered, ...]) -> Iterator[Fact]:
    """People answered surveys: what is a score, by question."""
    for item in items:
        yield Fact(
            "survey",
            item.answer_id,
            person_id=item.person_id,
            label=str(item.survey_id),
            marks={name: Mark(0, item.answered_at, score) for name, score in item.scores.items()},
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
