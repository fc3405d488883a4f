"""What the API tells of erasures."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from kantis_kit.web.schemas import Out


class ReplayOut(Out):
    """What a replay came to."""

    erased_again: int
    """How many persons had come back and were erased again."""
    announced: int
    """How many erased persons the other services were told of."""


class KeptOut(Out):
    """Rows that stay, and why."""

    kind: str
    rows: int
    reason: str
    until: date | None = Field(
        description="The day after which they go too; null: they name nobody"
    )


class ReceiptOut(Out):
    """What one service has answered."""

    service: str
    state: str = Field(description="`asked`, `overdue`, or `done`")
    asks: int
    asked_at: datetime
    done_at: datetime | None
    removed: dict[str, int] = Field(description="Rows deleted or emptied, by kind")
    kept: list[KeptOut]


class ErasureOut(Out):
    """An erasure and how far it is; names nobody."""

    erasure_id: UUID
    person_id: UUID
    merged_ids: list[UUID]
    requested_at: datetime
    requested_by: str
    state: str = Field(
        description="`running`, `overdue`, or `done` when every service has answered"
    )
    services: list[ReceiptOut]
