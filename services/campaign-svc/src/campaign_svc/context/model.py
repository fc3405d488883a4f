"""Who has which role in which organisation: a copy, for events about organisations."""

from datetime import date
from uuid import UUID

from sqlmodel import Field

from campaign_svc.base import Base


class RoleCard(Base, table=True):
    """What a person is in an organisation, as contacts-svc last told it."""

    __tablename__ = "role_card"

    link_id: UUID = Field(primary_key=True)
    version: int
    person_id: UUID
    organisation_id: UUID
    role: str
    do_not_contact: bool
    not_before: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    is_removed: bool
