"""Read the limits of spikes."""

from collections.abc import Sequence

from sqlalchemy import select

from kantis_kit.tx import ReadTx
from messaging_svc.holds.model import spike_limit
from messaging_svc.holds.schemas import SpikeLimitOut


async def list_spike_limits(tx: ReadTx) -> Sequence[SpikeLimitOut]:
    """Return when launches pause themselves."""
    rows = await tx.execute(select(spike_limit).order_by(spike_limit.c.kind))
    return [SpikeLimitOut.model_validate(row) for row in rows]
