"""Shapes of responses."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from kantis_contracts.codes import ALPHABET, normal
from kantis_contracts.orders import ResponseKind, ResponseWay
from kantis_contracts.values import Country
from kantis_kit.web.schemas import In, Out
from orders_svc.orders.schemas import OrderLineIn

MAX_QUANTITY = 10_000


def _code(text: str) -> str:
    code = normal(text)
    if not (6 <= len(code) <= 16 and set(code) <= set(ALPHABET)):  # noqa: PLR2004 - as the contract says
        message = (
            "a code has 6 to 16 letters and digits without I, L, O and U; look at the piece again"
        )
        raise ValueError(message)
    return code


Code = Annotated[str, Field(max_length=40), AfterValidator(_code)]
"""A response code as people write it; read forgivingly."""


Term = Annotated[str, Field(max_length=60, pattern=r"^[a-z0-9_]*$")]
"""A word of the vocabulary, or nothing."""


class AddressIn(In):
    """Where the person wants post to go."""

    street: str = Field(default="", max_length=200)
    postal_code: str = Field(default="", max_length=12)
    city: str = Field(default="", max_length=100)
    country: Country | None = Field(default=None, description="That of the person when left out")

    @model_validator(mode="after")
    def _some_part(self) -> "AddressIn":
        if not (self.street or self.postal_code or self.city):
            message = (
                "write a street, a postal code or a place; leave the address out when it is right"
            )
            raise ValueError(message)
        return self


class QuestionAnswerIn(In):
    """What was answered to a question."""

    question: str = Field(min_length=1, max_length=100, examples=["children"])
    answer: str = Field(min_length=1, max_length=500, examples=["two, six and nine"])
    term: Term = Field(
        default="", description="The word of the vocabulary that it stands for, if any"
    )


def _each_once(answers: list[QuestionAnswerIn]) -> list[QuestionAnswerIn]:
    names = [one.question for one in answers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"answered twice: {', '.join(twice)}; send one answer per question"
        raise ValueError(message)
    return answers


Answers = Annotated[list[QuestionAnswerIn], Field(max_length=40), AfterValidator(_each_once)]
"""Answers to questions, each question once."""


class ResponseIn(In):
    """An answer, keyed in one call.

    It comes from the holder of a `code` or from a person whom we know otherwise. An order without `lines` takes
    `quantity` of what the piece offered. The same code and kind again gives the first response back, unless `again`.
    With `if_sold_out` = `refuse` nothing is stored when goods are short; otherwise the response waits as a back order.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": "7K2M9-QX4TC",
                "kind": "order",
                "way": "keyed",
                "quantity": 1,
                "note": "Please ring the bell",
            }
        }
    )

    code: Code | None = None
    person_id: UUID | None = None
    kind: ResponseKind
    way: Literal[ResponseWay.KEYED, ResponseWay.PHONE, ResponseWay.BARCODE, ResponseWay.OPTICAL] = (
        ResponseWay.KEYED
    )
    quantity: int = Field(default=1, ge=1, le=MAX_QUANTITY)
    lines: list[OrderLineIn] = Field(default_factory=list, max_length=100)
    address_correction: AddressIn | None = None
    answers: Answers = Field(default_factory=list)
    note: str = Field(default="", max_length=4_000)
    again: bool = False
    if_sold_out: Literal["back_order", "refuse"] = "back_order"

    @model_validator(mode="after")
    def _who(self) -> "ResponseIn":
        if (self.code is None) == (self.person_id is None):
            message = "say who answers: by code or by person_id, not both"
            raise ValueError(message)
        return self


class AnswerIn(In):
    """What was answered."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"note": "Called back: the blanket is wool"}}
    )

    note: str = Field(default="", max_length=4_000)


class OrderAgainIn(In):
    """Goods for a response whose order could not be placed; without lines, what was asked for."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"lines": [{"sku": "BLANKET-W", "quantity": 1}]}}
    )

    lines: list[OrderLineIn] = Field(default_factory=list, max_length=100)


class WebAnswerIn(In):
    """What the page of a code takes: what is wished for, answers, and where post shall go."""

    kind: ResponseKind = ResponseKind.ORDER
    quantity: int = Field(default=1, ge=1, le=99)
    answers: Answers = Field(default_factory=list)
    address_correction: AddressIn | None = None
    note: str = Field(default="", max_length=2_000)
    again: bool = False


class ResponseOut(Out):
    """A response; `next_step` says what has to happen, `due_at` by when."""

    response_id: UUID
    kind: str
    way: str
    response_code: str | None
    person_id: UUID | None
    piece_id: UUID | None
    campaign_id: UUID | None
    cell_id: UUID | None
    state: str
    next_step: str
    due_at: datetime
    responded_at: datetime
    answered_at: datetime | None
    quantity: int
    lines: list[dict[str, Any]]
    address_correction: dict[str, Any] | None
    answers: list[dict[str, Any]]
    note: str
    answer: str
    order_id: UUID | None
    keyed_by: str = Field(description="Who keyed it, or sent the file in which it came")
    entry_id: UUID | None
    file_id: UUID | None
    file_row: int | None
    conversation_id: UUID | None = Field(
        description="Where the person is answered, of one who wrote"
    )


class RegisteredOut(ResponseOut):
    """A response as it was registered; `is_new` is false when it had come before.

    `available` says what there is of goods that are short, by sku; the response then waits as a back order.
    """

    is_new: bool
    order_number: str | None
    available: dict[str, int]


class WebOfferOut(Out):
    """What the holder of a code may see: the offer, and nothing about a person."""

    code: str
    language: str
    offer: str
    price: str
    can_order: bool


class WebAnswerOut(Out):
    """What has become of an answer from the page."""

    code: str
    kind: str
    is_new: bool
    order_number: str | None
    next_step: str
    message: str
