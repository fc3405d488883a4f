"""Care models: how segments are cared for, and how they stand against their goals."""

from uuid import UUID

from fastapi import Request, Response

from campaign_svc.care import queries, usecases
from campaign_svc.care.schemas import CareIn, CareOut, CareState
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write, etag, require_match
from kantis_kit.web.paging import Limit, Page, id_after, page_by_id
from kantis_kit.web.router import Router

router = Router(prefix="/v1/care", tags=["care"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")


@router.post("", policy=WRITE, status_code=201)
async def make_model(body: CareIn, tx: Write, response: Response) -> CareOut:
    """Say how a segment is cared for: goals, offering, cadence, mix of channels, budget of contacts."""
    model = await usecases.make_model(tx, body)
    response.headers["ETag"] = etag(model.version)
    return CareOut.model_validate(model)


@router.get("", policy=READ)
async def list_models(tx: Read, cursor: str | None = None, limit: Limit = 50) -> Page[CareOut]:
    """Return the care models, the oldest first."""
    models = await usecases.list_models(tx, id_after(cursor), limit)
    return page_by_id([CareOut.model_validate(one) for one in models], limit)


@router.get("/{model_id}", policy=READ)
async def get_model(model_id: UUID, tx: Read, response: Response) -> CareOut:
    """Return a care model."""
    model = await usecases.get_model(tx, model_id)
    response.headers["ETag"] = etag(model.version)
    return CareOut.model_validate(model)


@router.put("/{model_id}", policy=WRITE)
async def change_model(
    model_id: UUID, body: CareIn, request: Request, tx: Write, response: Response
) -> CareOut:
    """Replace a care model that has not changed since it was read (If-Match)."""
    model = await usecases.lock_model(tx, model_id)
    require_match(request, model.version)
    usecases.change_model(tx, model, body)
    response.headers["ETag"] = etag(model.version)
    return CareOut.model_validate(model)


@router.delete("/{model_id}", policy=WRITE, status_code=204)
async def drop_model(model_id: UUID, tx: Write) -> None:
    """Care for the segment no longer in a way of its own."""
    await usecases.drop_model(tx, model_id)


@router.get("/{model_id}/state", policy=READ)
async def get_state(model_id: UUID, tx: Read) -> CareState:
    """Return how the segment stands against its goals, its budget of contacts and its mix of channels."""
    return await queries.state_of(tx, await usecases.get_model(tx, model_id))
