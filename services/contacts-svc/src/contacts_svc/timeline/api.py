"""The timeline at the API."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from contacts_svc.facts.queries import get_known
from contacts_svc.timeline import queries
from contacts_svc.timeline.schemas import EntryKind, EntryOut
from kantis_contracts.values import Channel
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router
from kantis_kit.web.schemas import Instant

router = Router(prefix="/v1/contacts/{contact_id}/timeline", tags=["timeline"])


@router.get("", policy=needs("contacts:read"))
async def list_entries(
    contact_id: UUID,
    tx: Read,
    *,
    kind: Annotated[
        list[EntryKind] | None, Query(max_length=20, description="May be given several times")
    ] = None,
    channel: Channel | None = None,
    since: Annotated[Instant | None, Query(alias="from")] = None,
    before: Annotated[Instant | None, Query(alias="to")] = None,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[EntryOut]:
    """Tell what happened to a contact, over all services, the newest first; `to` itself is left out."""
    wanted = queries.Wanted(
        person_id=await get_known(tx, contact_id),
        kinds=kind or (),
        channel=channel,
        since=since,
        before=before,
    )
    return await queries.list_entries(tx, wanted, cursor=cursor, limit=limit)
