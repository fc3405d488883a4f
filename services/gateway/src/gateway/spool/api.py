"""What operators see of the spool."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from gateway.spool import queries, usecases
from gateway.spool.schemas import Retried, SpooledOut
from kantis_kit.auth.policy import needs
from kantis_kit.web import Page, Read, Router, Write, id_after
from kantis_kit.web.paging import page_by_id

router = Router(prefix="/v1/operations/gateway/spool", tags=["operations"])


@router.get("", policy=needs("operations:read"))
async def list_spooled(
    tx: Read,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    state: Literal["waiting", "refused", "stuck"] | None = None,
) -> Page[SpooledOut]:
    """Return leads that wait for their service, were refused by it, or wait for a person."""
    rows = await queries.list_spooled(tx, after=id_after(cursor), limit=limit, state=state)
    return page_by_id([SpooledOut.model_validate(row) for row in rows], limit)


@router.post("/retry", policy=needs("operations:write", privileged=True))
async def retry(tx: Write) -> Retried:
    """Try all of them again at once; each has its effect once, however often it is tried."""
    return Retried(retried=await usecases.retry(tx))


@router.post("/{lead_id}/retry", policy=needs("operations:write", privileged=True))
async def retry_one(lead_id: UUID, tx: Write) -> Retried:
    """Try one lead again at once, in its old place in line."""
    await usecases.retry_one(tx, lead_id)
    return Retried(retried=1)


@router.delete("/{lead_id}", policy=needs("operations:write", privileged=True), status_code=204)
async def drop(lead_id: UUID, tx: Write) -> None:
    """Forget a lead that was refused or is stuck."""
    await usecases.drop(tx, lead_id)
