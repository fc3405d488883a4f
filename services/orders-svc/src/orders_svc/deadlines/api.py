"""What is due, over HTTP; the queue itself is `GET /v1/responses`."""

from typing import Annotated

from fastapi import Query

from kantis_contracts.orders import ResponseKind
from kantis_kit.auth.policy import needs
from kantis_kit.web import Read, Router
from orders_svc.deadlines import queries
from orders_svc.deadlines.schemas import AgeingOut, UnattendedOut, WeekOut

router = Router(prefix="/v1/deadlines", tags=["response desk"])


@router.get("/ageing", policy=needs("orders:read"))
async def show_ageing(tx: Read) -> AgeingOut:
    """Return how much waits for which next step: late, due soon, due later."""
    return await queries.ageing(tx)


@router.get("/weeks", policy=needs("orders:read"))
async def list_weeks(
    tx: Read,
    *,
    kind: ResponseKind | None = None,
    weeks: Annotated[int, Query(ge=1, le=104)] = 12,
) -> list[WeekOut]:
    """Return the share of answers that were given in time, week by week; refusals count only when asked for."""
    return await queries.list_weeks(tx, kind=kind, weeks=weeks)


@router.get("/unattended", policy=needs("orders:read"))
async def list_unattended(tx: Read) -> list[UnattendedOut]:
    """Return orders and responses without a next step that has a day; it should return nothing."""
    return await queries.list_unattended(tx)
