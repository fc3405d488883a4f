"""When launches pause themselves."""

from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router
from messaging_svc.holds import queries, usecases
from messaging_svc.holds.schemas import Kind, SpikeLimitIn, SpikeLimitOut

router = Router(prefix="/v1/sending-rules/spikes", tags=["sending rules"])


@router.get("", policy=needs("messaging:read"))
async def list_spike_limits(tx: Read) -> list[SpikeLimitOut]:
    """Return at which rates of bounces and complaints launches pause themselves."""
    return list(await queries.list_spike_limits(tx))


@router.put("/{kind}", policy=needs("messaging:write", privileged=True))
async def set_spike_limit(kind: Kind, body: SpikeLimitIn, tx: Write) -> list[SpikeLimitOut]:
    """Set at which rate of bounces or complaints launches pause themselves."""
    await usecases.set_spike_limit(tx, kind, body)
    return list(await queries.list_spike_limits(tx))
