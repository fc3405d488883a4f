"""What the API takes and shows of experiments."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, StringConstraints

from campaign_svc.campaigns.schemas import Metric
from kantis_kit.web.schemas import In, Out


class CellResult(Out):
    """How a cell does."""

    cell_id: UUID
    name: str
    sent: int
    successes: int
    rate: float


class PairResult(Out):
    """Two cells beside each other; `p_value` holds whenever one looks."""

    cell_id: UUID
    other_id: UUID
    p_value: float


class ExperimentOut(Out):
    """How an experiment stands; without a winner the rest of the audience waits."""

    campaign_id: UUID
    metric: Metric
    alpha_pct: Decimal
    per_cell: int
    """About so many pieces per cell find the smallest difference worth finding."""
    cells: list[CellResult]
    pairs: list[PairResult]
    waiting: int
    winner_cell_id: UUID | None
    decided_at: datetime | None
    decided_by: str
    reason: str


class WinnerIn(In):
    """A cell that a person names the winner, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "cell_id": "0198f000-0000-7000-8000-000000000004",
                    "reason": "The offer ends tomorrow",
                }
            ]
        }
    )

    cell_id: UUID
    reason: Annotated[str, StringConstraints(min_length=3, max_length=1000)]
