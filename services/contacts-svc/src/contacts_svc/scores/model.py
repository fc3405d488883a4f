"""How good what is known of each person is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer
from sqlmodel import Field

from contacts_svc.base import Base, Moment


class QualityScore(Base, table=True):
    """The data quality of one person in percent, and of what it is made; kept for the report per source."""

    __tablename__ = "quality_score"

    person_id: UUID = Field(primary_key=True)
    completeness: int = Field(sa_type=Integer)
    validity: int = Field(sa_type=Integer)
    reachability: int = Field(sa_type=Integer)
    freshness: int = Field(sa_type=Integer)
    score: int = Field(sa_type=Integer)
    source: str = Field(index=True)
    scored_at: datetime = Field(sa_type=Moment, index=True)
