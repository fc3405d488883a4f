"""What a person was asked by campaigns, and what came of it."""

from uuid import UUID

from campaign_svc.memory import queries
from campaign_svc.memory.schemas import RememberedOut
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.paging import Limit, Page, id_after, page_by_id
from kantis_kit.web.router import Router

router = Router(prefix="/v1/campaign-memory", tags=["campaigns"])


@router.get("/{person_id}", policy=needs("campaign:read"))
async def list_remembered(
    person_id: UUID, tx: Read, cursor: str | None = None, limit: Limit = 50
) -> Page[RememberedOut]:
    """Return the campaigns of a person: asked, seen, answered, ordered, bought, and why not."""
    items = await queries.list_remembered(tx, person_id, after=id_after(cursor), limit=limit)
    return page_by_id(items, limit)
