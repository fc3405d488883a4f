"""What the API takes and shows of suppressed addresses."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from kantis_kit.web.schemas import In, Out

Reason = Literal["objection", "complaint", "hard_bounce", "manual"]

Address = Annotated[
    str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")
]


class SuppressionIn(In):
    """Addresses that shall get no marketing; only their hashes are kept."""

    emails: list[Address] = Field(min_length=1, max_length=1_000)
    reason: Reason
    note: str = Field(default="", max_length=500)


class Suppressed(Out):
    """How many addresses are on the list now that were not before."""

    added: int
    already: int


class SuppressionOut(Out):
    """An address on the list, by the hash that is kept of it."""

    id: UUID
    address_hash: str
    reason: str
    note: str
    added_by: str
    added_at: datetime


class SuppressionQuestion(In):
    """An address that is asked for."""

    email: str = Field(min_length=3, max_length=254)


class SuppressionAnswer(Out):
    """Whether the address is on the list."""

    is_suppressed: bool
    suppression: SuppressionOut | None = None
