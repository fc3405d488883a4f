"""Caps: how much one person gets over all campaigns, and how much is spent."""

from uuid import UUID

from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router
from messaging_svc.caps import queries, usecases
from messaging_svc.caps.schemas import (
    FrequencyCapIn,
    FrequencyCapOut,
    SpendCapIn,
    SpendCapOut,
    SpendCapPatch,
)

router = Router(prefix="/v1/sending-rules", tags=["sending rules"])
READ, WRITE = needs("messaging:read"), needs("messaging:write", privileged=True)


@router.get("/frequency-caps", policy=READ)
async def list_frequency_caps(tx: Read) -> list[FrequencyCapOut]:
    """Return the caps on how much one person gets."""
    return list(await queries.list_frequency_caps(tx))


@router.post("/frequency-caps", policy=WRITE, status_code=201)
async def add_frequency_cap(body: FrequencyCapIn, tx: Write) -> FrequencyCapOut:
    """Let no person get more than so many messages that advertise in any time of that length."""
    added = await usecases.add_frequency_cap(tx, body)
    return next(one for one in await queries.list_frequency_caps(tx) if one.id == added)


@router.delete("/frequency-caps/{cap_id}", policy=WRITE, status_code=204)
async def drop_frequency_cap(cap_id: UUID, tx: Write) -> None:
    """Drop a cap; what it has suppressed stays suppressed."""
    await usecases.drop_frequency_cap(tx, cap_id)


@router.get("/spend-caps", policy=READ)
async def list_spend_caps(tx: Read) -> list[SpendCapOut]:
    """Return the spend caps, what was spent under them, and how much waits."""
    return list(await queries.list_spend_caps(tx))


@router.post("/spend-caps", policy=WRITE, status_code=201)
async def add_spend_cap(body: SpendCapIn, tx: Write) -> SpendCapOut:
    """Let no more than so much be spent; the rest waits until a person raises the cap or the next period begins."""
    return await queries.get_spend_cap(tx, await usecases.add_spend_cap(tx, body))


@router.patch("/spend-caps/{cap_id}", policy=WRITE)
async def change_spend_cap(cap_id: UUID, body: SpendCapPatch, tx: Write) -> SpendCapOut:
    """Set another limit; what waits for it goes on as far as it reaches."""
    await usecases.change_spend_cap(tx, cap_id, body)
    return await queries.get_spend_cap(tx, cap_id)


@router.delete("/spend-caps/{cap_id}", policy=WRITE, status_code=204)
async def drop_spend_cap(cap_id: UUID, tx: Write) -> None:
    """Drop a spend cap; what waits for it goes on."""
    await usecases.drop_spend_cap(tx, cap_id)
