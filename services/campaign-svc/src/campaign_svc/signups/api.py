"""Who has signed up, for those who prepare the event."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

from campaign_svc.programmes.queries import get_step
from campaign_svc.signups import queries
from campaign_svc.signups.schemas import SignUpOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.paging import Limit, Page, id_after, page_by_id
from kantis_kit.web.router import Router

router = Router(prefix="/v1/programmes", tags=["programmes"])
StepPath = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


@router.get("/{programme_id}/steps/{step}/sign-ups", policy=needs("campaign:read"))
async def list_sign_ups(
    programme_id: UUID, step: StepPath, tx: Read, cursor: str | None = None, limit: Limit = 50
) -> Page[SignUpOut]:
    """Return those who have signed up for an event or a webinar, or off again."""
    await get_step(tx, programme_id, step)
    items = await queries.list_sign_ups(tx, programme_id, step, after=id_after(cursor), limit=limit)
    return page_by_id(items, limit)
