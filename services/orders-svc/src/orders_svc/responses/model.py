"""What people answered, and what has to happen next."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kantis_contracts.orders import ResponseKind
from orders_svc.base import Base, Moment
from orders_svc.responses.errors import AlreadyAnswered


class ResponseState(StrEnum):
    """Where a response stands; `unresolved` waits for its code's piece."""

    UNRESOLVED = "unresolved"
    OPEN = "open"
    ANSWERED = "answered"


class NextStep(StrEnum):
    """What has to happen to a response; there is always one, `done` at the end."""

    RESOLVE_CODE = "resolve_code"
    SHIP_ORDER = "ship_order"
    BACK_ORDER = "back_order"
    CHOOSE_PRODUCT = "choose_product"
    ANSWER_INQUIRY = "answer_inquiry"
    ANSWER_COMPLAINT = "answer_complaint"
    DONE = "done"


class Response(Base, table=True):
    """An answer; `due_at` is the end of the second working day after it came in."""

    __table_args__ = (
        CheckConstraint(
            "kind IN ('order', 'inquiry', 'complaint', 'refusal')", name="response_kind"
        ),
        CheckConstraint("state IN ('unresolved', 'open', 'answered')", name="response_state"),
        CheckConstraint("(state = 'answered') = (next_step = 'done')", name="response_done"),
        CheckConstraint(
            "(state = 'answered') = (answered_at IS NOT NULL)", name="response_answered"
        ),
        CheckConstraint(
            "(state = 'unresolved') = (next_step = 'resolve_code')", name="response_unresolved"
        ),
        CheckConstraint("state = 'unresolved' OR person_id IS NOT NULL", name="response_person"),
        CheckConstraint(
            "next_step <> 'ship_order' OR order_id IS NOT NULL", name="response_ship_order"
        ),
        CheckConstraint("num_nonnulls(response_code, person_id) > 0", name="response_who"),
        Index(
            "response_once",
            "response_code",
            "kind",
            unique=True,
            postgresql_where="NOT is_repeat",
        ),
        Index("response_due", "state", "due_at", "response_id"),
        Index("response_order", "order_id"),
        Index("response_person", "person_id"),
        Index("response_merged", "merged_id", postgresql_where="merged_id IS NOT NULL"),
        Index("response_waiting", "response_code", postgresql_where="state = 'unresolved'"),
    )

    response_id: UUID = Field(primary_key=True)
    kind: str
    way: str
    response_code: str | None = None
    person_id: UUID | None = None
    piece_id: UUID | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    state: str
    next_step: str
    due_at: datetime = Field(sa_type=Moment)
    responded_at: datetime = Field(sa_type=Moment)
    answered_at: datetime | None = Field(default=None, sa_type=Moment)
    quantity: int = 1
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    address_correction: dict[str, Any] | None = Field(
        default=None, sa_type=JSONB(none_as_null=True)
    )
    note: str = ""
    answer: str = ""
    order_id: UUID | None = None
    is_repeat: bool = False
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another."""

    def begin(self, *, at: datetime) -> None:
        """Say what has to happen now that it is known whose response it is."""
        steps = {
            ResponseKind.ORDER: NextStep.CHOOSE_PRODUCT,
            ResponseKind.INQUIRY: NextStep.ANSWER_INQUIRY,
            ResponseKind.COMPLAINT: NextStep.ANSWER_COMPLAINT,
        }
        step = steps.get(ResponseKind(self.kind))
        if step is None:
            self.finish(at=at)
        else:
            self.state, self.next_step = ResponseState.OPEN.value, step.value

    def wait_for(self, order_id: UUID | None) -> None:
        """Wait for the order that was placed, or for goods when there are too few."""
        self.order_id = order_id
        self.next_step = (NextStep.SHIP_ORDER if order_id else NextStep.BACK_ORDER).value

    def finish(self, *, at: datetime) -> None:
        """Note that nothing more has to happen."""
        self.state, self.next_step = ResponseState.ANSWERED.value, NextStep.DONE.value
        self.answered_at = at

    def forget(self, *, at: datetime) -> None:
        """Empty the words of somebody who has been erased since; nothing more has to happen."""
        self.note, self.answer, self.address_correction = "", "", None
        self.finish(at=at)

    def reply(self, *, at: datetime, note: str) -> None:
        """Note the answer that was given. Raises `AlreadyAnswered`."""
        if self.state != ResponseState.OPEN or self.next_step == NextStep.SHIP_ORDER:
            raise AlreadyAnswered(
                f"The response is {self.state} and its next step is {self.next_step}",
                state=str(self.state),
                next_step=str(self.next_step),
            )
        self.answer = note
        self.finish(at=at)

    def must_lack_goods(self) -> None:
        """Raise `AlreadyAnswered` unless an order is to be placed still."""
        if self.next_step not in (NextStep.BACK_ORDER, NextStep.CHOOSE_PRODUCT):
            raise AlreadyAnswered(
                f"No order is to be placed for it: its next step is {self.next_step}",
                next_step=str(self.next_step),
            )
