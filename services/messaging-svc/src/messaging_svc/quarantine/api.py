"""Held sending: look at it, release it."""

from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router
from messaging_svc.quarantine import queries, usecases
from messaging_svc.quarantine.schemas import ReleaseIn, SendingOut, SentIn, SentOut

router = Router(prefix="/v1/messages/sending", tags=["messages"])


@router.get("", policy=needs("messaging:read"))
async def get_sending(tx: Read) -> SendingOut:
    """Return whether sending is held, since when, why, and what waits."""
    return await queries.get_sending(tx)


@router.post("/sent", policy=needs("messaging:write", privileged=True))
async def record_sent(body: SentIn, tx: Write) -> SentOut:
    """Record waiting messages as accepted that the mail server's log knows; the release then leaves them out."""
    count = await usecases.record_sent(tx, body.message_ids, reason=body.reason)
    return SentOut(recorded=count)


@router.post("/release", policy=needs("messaging:write", privileged=True))
async def release_sending(body: ReleaseIn, tx: Write) -> SendingOut:
    """Let held sending go on: everything that waits and is still allowed is sent."""
    await usecases.release(tx, reason=body.reason)
    return await queries.get_sending(tx)
