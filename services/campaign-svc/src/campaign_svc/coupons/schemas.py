"""What the API takes and shows of coupons."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from kantis_contracts.values import Currency, Language
from kantis_kit.web.schemas import In, Instant, Out

MOST_CODES = 50_000
"""Codes that one call draws."""
MOST_PEOPLE = 1_000
Text = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class CouponKind(StrEnum):
    """What a coupon gives."""

    PERCENT = "percent"
    AMOUNT = "amount"
    GIFT = "gift"


class SeriesIn(In):
    """A new series. Its worth is `value_pct`, `value_minor` with `currency`, or `gift`, as its kind says."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "Spring", "kind": "amount", "value_minor": 5000, "currency": "NOK"}
            ]
        }
    )

    name: Text
    kind: CouponKind
    value_pct: int | None = Field(default=None, ge=1, le=100)
    value_minor: int | None = Field(default=None, ge=1, le=10**12)
    currency: Currency | None = None
    gift: str = Field(default="", max_length=200)
    least_minor: int = Field(default=0, ge=0, le=10**12, description="Least purchase")
    valid_from: Instant | None = Field(default=None, description="Now when left out")
    valid_until: Instant | None = Field(
        default=None,
        description="The first moment at which it is good no more; never when left out",
    )
    codes: int = Field(default=0, ge=0, le=MOST_CODES, description="Codes to draw at once")

    @model_validator(mode="after")
    def check_worth(self) -> "SeriesIn":
        """A series is worth one thing, the one that its kind names."""
        given = {
            CouponKind.PERCENT: self.value_pct is not None,
            CouponKind.AMOUNT: self.value_minor is not None,
            CouponKind.GIFT: bool(self.gift),
        }
        field = {
            CouponKind.PERCENT: "value_pct",
            CouponKind.AMOUNT: "value_minor",
            CouponKind.GIFT: "gift",
        }[self.kind]
        if [kind for kind, is_given in given.items() if is_given] != [self.kind]:
            message = f"a coupon of kind {self.kind} has {field}, and none of the other two"
            raise ValueError(message)
        if (self.value_minor is not None or self.least_minor) and self.currency is None:
            message = "currency: say in which currency the amount is"
            raise ValueError(message)
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            message = "valid_until lies before valid_from: the coupons would never be good"
            raise ValueError(message)
        return self


class SeriesOut(Out):
    """A series, and how many of its coupons there are and were used."""

    id: UUID
    name: str
    kind: CouponKind
    value_pct: int | None
    value_minor: int | None
    currency: str | None
    gift: str
    least_minor: int
    valid_from: datetime
    valid_until: datetime | None
    closed_at: datetime | None
    made_by: str
    made_at: datetime
    codes: int = 0
    given: int = 0
    redeemed: int = 0


class CodesIn(In):
    """How many codes to draw, such as for a printer."""

    count: int = Field(ge=1, le=MOST_CODES)


class IssueIn(In):
    """To whom coupons are given, and why; who has one of the series keeps that one."""

    person_ids: list[UUID] = Field(min_length=1, max_length=MOST_PEOPLE)
    reason: Text


class IssuedOut(Out):
    """The coupon of a person."""

    person_id: UUID
    code: str


class CouponOut(Out):
    """A coupon."""

    code: str
    series_id: UUID
    person_id: UUID | None
    reason: str
    made_at: datetime
    redeemed_at: datetime | None
    redeemed_by: str
    place: str
    receipt: str


class RedemptionIn(In):
    """Where a coupon is used. A till that lost the answer sends the same receipt again and gets the same answer."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"place": "Shop Bergen, till 3", "receipt": "3-100482"}]}
    )

    place: Text
    receipt: str = Field(default="", max_length=100)
    language: Language = Field(default=Language.EN, description="Of the answer at the till")


class RedemptionOut(Out):
    """The coupon was good, and is used now."""

    code: str
    series_id: UUID
    name: str
    kind: CouponKind
    value_pct: int | None
    value_minor: int | None
    currency: str | None
    gift: str
    least_minor: int
    person_id: UUID | None
    redeemed_at: datetime
    is_new: bool
    """False when the same receipt had used it before: the answer was lost on its way."""
