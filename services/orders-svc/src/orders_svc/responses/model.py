"""What people answered, and what has to happen next."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, Index, func, null, or_
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, col

from kantis_contracts.orders import ResponseKind
from kantis_kit.calendar import answer_due_at
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
    TAKE_RETURN = "take_return"
    DONE = "done"


_FIRST_STEPS = {
    ResponseKind.ORDER: NextStep.CHOOSE_PRODUCT,
    ResponseKind.INQUIRY: NextStep.ANSWER_INQUIRY,
    ResponseKind.COMPLAINT: NextStep.ANSWER_COMPLAINT,
    ResponseKind.RETURN: NextStep.TAKE_RETURN,
}


def beginning(kind: ResponseKind, *, at: datetime) -> dict[str, Any]:
    """Return the state of a response of which it is known whose it is; one that needs no answer has it at once."""
    step = _FIRST_STEPS.get(kind)
    is_open = step is not None
    return {
        "state": (ResponseState.OPEN if is_open else ResponseState.ANSWERED).value,
        "next_step": (step or NextStep.DONE).value,
        "answered_at": None if is_open else at,
    }


def settled_in(correction: Mapping[str, Any] | None, country: str) -> dict[str, Any] | None:
    """Return a corrected address with its country: this one, where it names none."""
    if not correction:
        return None
    return {**correction, "country": correction.get("country") or country}


class Response(Base, table=True):
    """An answer; `due_at` is the end of the second working day after it came in."""

    __table_args__ = (
        CheckConstraint(
            "kind IN ('order', 'inquiry', 'complaint', 'refusal', 'return')",
            name="response_kind",
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
        Index("response_reply", "reply_id", unique=True),
        Index("response_source", "source_key", unique=True),
        Index("response_entry", "entry_id", postgresql_where="entry_id IS NOT NULL"),
        Index("response_of_file", "file_id", "file_row", postgresql_where="file_id IS NOT NULL"),
        Index(
            "response_to_warn",
            "due_at",
            postgresql_where="state <> 'answered' AND warned_at IS NULL",
        ),
        Index(
            "response_to_alarm",
            "due_at",
            postgresql_where="state <> 'answered' AND alarmed_at IS NULL",
        ),
        Index(
            "response_conversation",
            "conversation_id",
            postgresql_where="conversation_id IS NOT NULL",
        ),
        Index("response_due", "state", "due_at", "response_id"),
        Index(
            "response_back_order",
            "responded_at",
            "response_id",
            postgresql_where="next_step = 'back_order'",
        ),
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
    answers: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB)
    """What was answered to questions, each with the word of the vocabulary that it stands for, if any."""
    note: str = ""
    answer: str = ""
    order_id: UUID | None = None
    is_repeat: bool = False
    reply_id: UUID | None = None
    """The message in which somebody wrote it to us; there is one response of it."""
    conversation_id: UUID | None = None
    """Where they are answered."""
    merged_id: UUID | None = None
    """The id under which it came, while a merge has it stand with another."""
    keyed_by: str = ""
    """Who keyed it, or sent the file in which it came."""
    entry_id: UUID | None = None
    """The piece of a batch with which it was keyed; several wishes on one piece share it."""
    file_id: UUID | None = None
    file_row: int | None = None
    source_key: str | None = None
    """What names a row that has no code: it is taken once, in however many files it comes."""
    warned_at: datetime | None = Field(default=None, sa_type=Moment)
    alarmed_at: datetime | None = Field(default=None, sa_type=Moment)

    def come_from(self, country: str) -> None:
        """Count the days by the calendar of this country, which is also that of an address that names none."""
        self.due_at = answer_due_at(self.responded_at, country)
        # A new document: a change inside of the old one would not be noticed.
        self.address_correction = settled_in(self.address_correction, country)

    def begin(self, *, at: datetime) -> None:
        """Say what has to happen now that it is known whose response it is."""
        for name, value in beginning(ResponseKind(self.kind), at=at).items():
            setattr(self, name, value)

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
        self.note, self.answer, self.answers, self.address_correction = "", "", [], None
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


WORDLESS: Mapping[str, Any] = {
    "note": "",
    "answer": "",
    "answers": [],
    "address_correction": null(),
}
"""What is left of the words of a response whose person is forgotten, or whose time is over."""


def has_words() -> ColumnElement[bool]:
    """Return the condition that a response still holds what somebody wrote."""
    return or_(
        col(Response.note) != "",
        col(Response.answer) != "",
        func.jsonb_array_length(col(Response.answers)) > 0,
        col(Response.address_correction).is_not(None),
    )


class AnsweredConversation(Base, table=True):
    """Until when a conversation is answered; the row on which its messages and its answers wait for each other."""

    __tablename__ = "answered_conversation"

    conversation_id: UUID = Field(primary_key=True)
    answered_at: datetime | None = Field(default=None, sa_type=Moment)
