"""Shapes of everything about a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from kantis_kit.web.schemas import In, Out


class DossierOut(Out):
    """Everything that contacts holds about a person."""

    person_id: UUID
    made_at: datetime
    merged_ids: list[UUID] = Field(description="Ids that were merged into this one")
    profile: dict[str, Any]
    records: dict[str, list[dict[str, Any]]] = Field(description="Rows by kind")
    left_off: list[str] = Field(description="Kinds of which only the first 10,000 rows are here")


class DossierIn(In):
    """Who is to be told everything."""

    contact_id: UUID


class AskedOut(Out):
    """A dossier that was asked for; the services answer within minutes."""

    dossier_id: UUID
    person_id: UUID
    expires_at: datetime


class ServiceAnswerOut(Out):
    """What one service holds of the person."""

    service: str
    state: str = Field(description="`asked`, or `answered`")
    answered_at: datetime | None
    records: dict[str, list[dict[str, Any]]] = Field(description="Rows by kind")
    left_off: list[str] = Field(description="Kinds of which only the first 10,000 rows are here")


class WholeDossierOut(Out):
    """Everything that is held about a person over all services, as far as they have answered."""

    dossier_id: UUID
    person_id: UUID
    asked_at: datetime
    expires_at: datetime = Field(description="The dossier is deleted then")
    is_complete: bool
    contacts: DossierOut
    services: list[ServiceAnswerOut]
