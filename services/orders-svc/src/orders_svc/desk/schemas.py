"""Shapes of the desk."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from kantis_contracts.orders import ResponseKind, ResponseWay
from kantis_kit.web.schemas import In, Out
from orders_svc.orders.schemas import OrderLineIn
from orders_svc.responses.schemas import (
    MAX_QUANTITY,
    AddressIn,
    Answers,
    Code,
    RegisteredOut,
)

MAX_PIECES = 100_000
Keyer = Annotated[str, Field(max_length=60)]


class Reason(StrEnum):
    """Why a piece makes no response."""

    UNREADABLE = "unreadable"
    UNKNOWN_CODE = "unknown_code"
    DUPLICATE = "duplicate"
    EMPTY = "empty"
    OTHER = "other"


class BatchIn(In):
    """Pieces that came in together, counted before anybody keys them."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "Monday's post", "counted": 120}}
    )

    name: str = Field(min_length=1, max_length=100)
    counted: int = Field(ge=1, le=MAX_PIECES)
    way: Literal[ResponseWay.KEYED, ResponseWay.PHONE] = ResponseWay.KEYED


class WishIn(In):
    """Something that a piece wishes for; an order without `lines` takes `quantity` of what the piece offered."""

    kind: ResponseKind
    quantity: int = Field(default=1, ge=1, le=MAX_QUANTITY)
    lines: list[OrderLineIn] = Field(default_factory=list, max_length=100)
    note: str = Field(default="", max_length=4_000)
    again: bool = Field(default=False, description="A second one, on top of the first")


def _by_its_name(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


WishOrKind = Annotated[WishIn, BeforeValidator(_by_its_name, json_schema_input_type=str | WishIn)]
"""A wish, or simply its kind."""


def _kinds_once(wishes: list[WishIn]) -> list[WishIn]:
    kinds = [one.kind.value for one in wishes]
    if len(set(kinds)) < len(kinds):
        message = "each kind of wish once per piece; put the goods of one order in its lines"
        raise ValueError(message)
    return wishes


class EntryIn(In):
    """A piece in one call: its code, what is wished for, the answers to its questions, the corrected address."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": "7K2M9-QX4TC",
                "wishes": ["order", {"kind": "inquiry", "note": "Is it washable?"}],
                "answers": [{"question": "children", "answer": "two"}],
                "address_correction": {
                    "street": "Storgata 2",
                    "postal_code": "0155",
                    "city": "Oslo",
                },
                "keyed_by": "KN",
            }
        }
    )

    code: Code | None = None
    person_id: UUID | None = None
    wishes: Annotated[
        list[WishOrKind],
        Field(min_length=1, max_length=len(ResponseKind)),
        AfterValidator(_kinds_once),
    ]
    answers: Answers = Field(default_factory=list)
    address_correction: AddressIn | None = None
    keyed_by: Keyer = Field(default="", description="Who keys; the key of the call when left out")

    @model_validator(mode="after")
    def _who(self) -> "EntryIn":
        if (self.code is None) == (self.person_id is None):
            message = "say who answers: by code or by person_id, not both"
            raise ValueError(message)
        return self


class RejectIn(In):
    """A piece that makes no response, and why."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"reason": "unreadable", "note": "torn in two"}}
    )

    reason: Reason
    code: str = Field(default="", max_length=40, description="As far as it can be read")
    note: str = Field(default="", max_length=500)
    keyed_by: Keyer = ""


class CloseIn(In):
    """Close a batch; a difference is accepted only with a note that says why."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"accept_difference": True, "note": "counted again: two were leaflets"}
        }
    )

    counted: int | None = Field(
        default=None, ge=1, le=MAX_PIECES, description="The right number, when it was miscounted"
    )
    accept_difference: bool = False
    note: str = Field(default="", max_length=500)
    closed_by: Keyer = ""

    @model_validator(mode="after")
    def _says_why(self) -> "CloseIn":
        if self.accept_difference and not self.note:
            message = "note: say why the batch does not balance"
            raise ValueError(message)
        return self


class KeyerOut(Out):
    """How much somebody has keyed of a batch."""

    keyed_by: str
    registered: int
    rejected: int


class TotalsOut(Out):
    """Where a batch stands: `left` pieces are to be keyed; it balances at 0."""

    counted: int
    registered: int
    rejected: int
    left: int
    rejected_for: dict[str, int]
    keyers: list[KeyerOut]


class BatchOut(Out):
    """A batch of the desk."""

    batch_id: UUID
    name: str
    way: str
    opened_by: str
    opened_at: datetime
    closed_by: str
    closed_at: datetime | None
    difference: int
    note: str
    totals: TotalsOut


class EntryOut(Out):
    """What has become of a piece, and where its batch stands now.

    With `is_new` false it had come before: nothing was stored; reject the piece as a duplicate, or say `again`.
    """

    entry_id: UUID | None
    is_new: bool
    responses: list[RegisteredOut]
    totals: TotalsOut


class PieceOut(Out):
    """A piece of a batch as it was keyed."""

    entry_id: UUID
    outcome: str
    response_code: str | None
    reason: str
    note: str
    keyed_by: str
    keyed_at: datetime


class RejectedOut(Out):
    """A rejected piece, and where its batch stands now."""

    entry_id: UUID
    totals: TotalsOut
