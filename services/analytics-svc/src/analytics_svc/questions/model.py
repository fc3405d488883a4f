"""What is known of the copy of the facts in a second store, and what it has yet to hear."""

from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field

from analytics_svc.base import Base


class FactCopy(Base, table=True):
    """The copy, when there is one: the other store holds the same id. It is filled in the order of kinds and keys."""

    __tablename__ = "fact_copy"

    id: UUID = Field(primary_key=True)
    kind: str = ""
    key: UUID = UUID(int=0)
    """Up to which fact it has been filled."""
    is_filled: bool = False


class FactNews(Base, table=True):
    """A fact that was made or changed since the copy had it; written by a trigger while there is a copy."""

    __tablename__ = "fact_news"

    position: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    kind: str
    key: UUID
