"""Shape of everything about a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from kantis_kit.web.schemas import Out


class DossierOut(Out):
    """Everything that contacts holds about a person."""

    person_id: UUID
    made_at: datetime
    merged_ids: list[UUID] = Field(description="Ids that were merged into this one")
    profile: dict[str, Any]
    records: dict[str, list[dict[str, Any]]] = Field(description="Rows by kind")
    left_off: list[str] = Field(description="Kinds of which only the first 10,000 rows are here")
