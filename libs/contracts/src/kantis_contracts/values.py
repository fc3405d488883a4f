"""Value types that several services share."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, PlainSerializer, StringConstraints, WithJsonSchema

from kantis_contracts.base import Contract

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217 code."""

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2 code."""

ResponseCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{6,16}$")]
"""Code on a piece: Crockford base 32, with a check character at the end."""


def _as_number(pct: Decimal) -> int | float:
    return int(pct) if pct == int(pct) else float(pct)


VatPct = Annotated[
    Decimal,
    Field(ge=0, le=100, max_digits=5, decimal_places=2),
    PlainSerializer(_as_number, return_type=int | float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100, "examples": [25.5]}),
]
"""A rate of VAT in per cent with at most two decimals, exact; 25.5 is Finland's. Two decimals survive as a JSON number."""


class Language(StrEnum):
    """Languages in which texts for people exist."""

    NB = "nb"
    SV = "sv"
    DA = "da"
    FI = "fi"
    EN = "en"


class Channel(StrEnum):
    """How a message reaches a person."""

    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    PHONE = "phone"
    WEB = "web"


class Purpose(StrEnum):
    """What a permission is given for."""

    NEWSLETTER = "newsletter"
    OFFERS = "offers"
    SURVEYS = "surveys"


class MessageClass(StrEnum):
    """Why a message is sent; the law and the gate treat each differently."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"
    SERVICE = "service"
    """Of the relation itself: changed terms, a warning about goods. No advertising in it."""
    DUNNING = "dunning"
    NEWSLETTER = "newsletter"
    CART_REMINDER = "cart_reminder"
    WIN_BACK = "win_back"
    REFERRAL = "referral"
    """To a stranger whom a customer has named."""


ADVERTISING = frozenset(
    {
        MessageClass.MARKETING, MessageClass.NEWSLETTER, MessageClass.CART_REMINDER, MessageClass.WIN_BACK,
        MessageClass.REFERRAL,
    }
)  # fmt: skip
"""Classes that may sell, and must offer a way out; all others tell what must be told, and nothing else."""


class RecipientKind(StrEnum):
    """In what role somebody is written to; consent law differs by it."""

    PERSON = "person"
    SOLE_TRADER = "sole_trader"
    COMPANY = "company"


class Relation(StrEnum):
    """What ties a recipient to the company."""

    NONE = "none"
    CUSTOMER = "customer"
    MEMBER = "member"
    """Of the club, and no customer: club terms are a record of membership, never a consent."""


class Money(Contract):
    """An amount in integer minor units (øre, öre, cent)."""

    amount_minor: int
    currency: Currency


class PostalAddress(Contract):
    """Where post goes; lines as printed."""

    street: str = Field(default="", max_length=200)
    postal_code: str = Field(default="", max_length=12)
    city: str = Field(default="", max_length=100)
    country: Country = "NO"
