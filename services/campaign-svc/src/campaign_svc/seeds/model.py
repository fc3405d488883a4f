"""Addresses of our own that see a campaign before anybody else."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime
from sqlmodel import Field

from campaign_svc.base import Base


class Seed(Base, table=True):
    """An address of the seed list, with the name and language in which it is written to."""

    id: UUID = Field(primary_key=True)
    email: str
    preferred_name: str
    language: str
    added_by: str
    added_at: datetime = Field(sa_type=DateTime(timezone=True))
