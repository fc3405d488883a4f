"""What leaves this slice: launches that have paused themselves."""

from collections.abc import Iterable
from typing import Any

from kantis_contracts.messaging import LaunchSpike, SpikeNoticedV1


def launches_paused(rows: Iterable[Any]) -> SpikeNoticedV1:
    """Say which launches wait for a person, and for what."""
    return SpikeNoticedV1(
        items=tuple(
            LaunchSpike(
                launch_id=row.launch_id,
                campaign_id=row.campaign_id,
                paused_at=row.spiked_at,
                **row.spike,
            )
            for row in rows
        )
    )
