"""What the API tells of erasures."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from kantis_kit.web.schemas import In, Out


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


class PeriodOut(Out):
    """How long a kind of data is kept."""

    kind: str
    days: int
    default_days: int
    least_days: int
    most_days: int
    what: str = Field(description="What is deleted or emptied then")
    reason: str


class RetentionOut(Out):
    """Every period, and what no period is decided for, with the reason."""

    periods: list[PeriodOut]
    fixed: dict[str, str]


class PeriodIn(In):
    """A decision about one kind."""

    kind: str = Field(max_length=100)
    days: int = Field(ge=1, le=36_500)


class RetentionIn(In):
    """Decisions; kinds that are not named keep their periods."""

    periods: list[PeriodIn] = Field(min_length=1, max_length=100)
