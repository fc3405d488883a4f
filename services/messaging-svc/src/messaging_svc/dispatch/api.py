"""Messages: lists, one, why, and the decision on those in doubt."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page, id_after, page_by_id
from kantis_kit.web.router import Router
from messaging_svc.dispatch import doubt, explaining, queries, recipients
from messaging_svc.dispatch.errors import NotALog
from messaging_svc.dispatch.model import State
from messaging_svc.dispatch.relaylog import RelayLog
from messaging_svc.dispatch.schemas import (
    LaunchOut,
    MessageOut,
    ResolvedOut,
    ResolveIn,
    ResolveManyIn,
    SettledOut,
    Why,
)

router = Router(prefix="/v1/messages", tags=["messages"])
launches = Router(prefix="/v1/launches", tags=["messages"])

Limit = Annotated[int, Query(ge=1, le=500)]


def _page(found: list[MessageOut], limit: int) -> Page[MessageOut]:
    return page_by_id(found, limit)


@router.get("", policy=needs("messaging:read"))
async def list_messages(
    tx: Read,
    *,
    campaign_id: UUID | None = None,
    person_id: UUID | None = None,
    state: State | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[MessageOut]:
    """Return messages in the order of their planning."""
    found = await queries.list_messages(
        tx,
        campaign_id=campaign_id,
        person_id=person_id,
        state=state,
        after=id_after(cursor),
        limit=limit,
    )
    return _page(found, limit)


@router.get("/in-doubt", policy=needs("messaging:read"))
async def list_in_doubt(
    tx: Read, cursor: str | None = None, limit: Limit = 100
) -> Page[MessageOut]:
    """Return messages that were handed over and never answered: they wait for a person."""
    return _page(
        await queries.list_messages(tx, state=State.IN_DOUBT, after=id_after(cursor), limit=limit),
        limit,
    )


@router.post("/in-doubt/resolve", policy=needs("messaging:write", privileged=True))
async def resolve_messages(body: ResolveManyIn, tx: Write) -> ResolvedOut:
    """Decide on many messages in doubt, or on all of a launch; what was not sent is planned again."""
    if body.launch_id is not None:
        resolved = await doubt.resolve_launch(tx, body.launch_id, body.outcome, body.reason)
    else:
        resolved = await doubt.resolve_many(tx, body.message_ids, body.outcome, body.reason)
    others = [one for one in body.message_ids if one not in resolved]
    return ResolvedOut(resolved=len(resolved), not_in_doubt=others)


@router.post(
    "/in-doubt/log",
    policy=needs("messaging:write", privileged=True),
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
)
async def settle_by_log(request: Request, tx: Write, *, is_complete: bool = False) -> SettledOut:
    """Settle what is in doubt by the log of the Postfix that takes our mails.

    With `is_complete` you answer for it that everything since the first message in doubt is in there: what it does not
    know was not sent, and is planned again.
    """
    log = RelayLog().read((await request.body()).decode(errors="replace").splitlines())
    if not log.fates:
        raise NotALog(
            "No line names a Message-ID and what became of it; send the lines of postfix/cleanup, qmgr and smtp"
        )
    return SettledOut.model_validate(await doubt.settle_by_log(tx, log, is_complete=is_complete))


@router.get("/{message_id}", policy=needs("messaging:read"))
async def get_message(message_id: UUID, tx: Read) -> MessageOut:
    """Return a message."""
    return await queries.get_message(tx, message_id)


@router.get("/{message_id}/why", policy=needs("messaging:read"))
async def explain_message(message_id: UUID, tx: Read) -> Why:
    """Return why this person got, or did not get, this message."""
    return await explaining.explain(tx, message_id)


@router.post("/{message_id}/resolve", policy=needs("messaging:write", privileged=True))
async def resolve_message(message_id: UUID, body: ResolveIn, tx: Write) -> MessageOut:
    """Decide on a message in doubt: it was sent, it failed, or it was not sent and is planned again."""
    await doubt.resolve_one(tx, message_id, body.outcome, body.reason)
    return await queries.get_message(tx, message_id)


@launches.get("/{launch_id}", policy=needs("messaging:read"))
async def get_launch(launch_id: UUID, tx: Read) -> LaunchOut:
    """Return how many recipients of a launch stand where, why, and whether all have reached an end."""
    return await recipients.get_launch(tx, launch_id)


@launches.get("/{launch_id}/recipients", policy=needs("messaging:read"))
async def list_recipients(
    launch_id: UUID,
    tx: Read,
    *,
    state: State | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[MessageOut]:
    """Return the recipients of a launch, each with state, rule, reason and times."""
    found = await recipients.list_recipients(
        tx, launch_id, state=state, after=id_after(cursor), limit=limit
    )
    return _page(found, limit)
