"""Which piece a response code stands for, and what it offered."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field

from orders_svc.base import Base, Moment, Pct


class Release(Base, table=True):
    """What all pieces of one cell of a launch share."""

    launch_id: UUID = Field(primary_key=True)
    cell_id: UUID = Field(primary_key=True)
    campaign_id: UUID
    campaign_name: str = ""
    product_id: UUID | None = None
    offer_name: str = ""
    offer_price_minor: int | None = Field(default=None, sa_type=BigInteger)
    offer_currency: str | None = None
    pieces: int = 0
    expected_response_pct: Decimal | None = Field(default=None, sa_type=Pct)
    """How many of the pieces are thought to be answered, when the campaign says so."""
    released_at: datetime | None = Field(default=None, sa_type=Moment)


class Code(Base, table=True):
    """A response code and the person whose piece carries it.

    A code that somebody keyed before its piece was told of stands here alone: the row on which the two wait for each
    other.
    """

    __table_args__ = (
        CheckConstraint(
            "num_nulls(piece_id, person_id, launch_id, cell_id) IN (0, 4)", name="code_whole"
        ),
    )

    response_code: str = Field(primary_key=True)
    piece_id: UUID | None = None
    person_id: UUID | None = None
    launch_id: UUID | None = None
    cell_id: UUID | None = None
