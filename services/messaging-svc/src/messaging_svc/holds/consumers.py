"""What people decide on launches."""

from kantis_contracts.campaign import LaunchPausedV1, LaunchResumedV1, LaunchStoppedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.holds import usecases


@consumes(LaunchPausedV1, queue="messaging.holds")
async def on_launches_paused(tx: Tx, event: LaunchPausedV1, _meta: Meta) -> None:
    """Hand over nothing of them."""
    await usecases.keep_decisions(tx, usecases.PAUSED, event.items)


@consumes(LaunchResumedV1, queue="messaging.holds")
async def on_launches_resumed(tx: Tx, event: LaunchResumedV1, _meta: Meta) -> None:
    """Let them go on."""
    await usecases.keep_decisions(tx, usecases.RUNNING, event.items)


@consumes(LaunchStoppedV1, queue="messaging.holds")
async def on_launches_stopped(tx: Tx, event: LaunchStoppedV1, _meta: Meta) -> None:
    """Suppress what is left of them."""
    await usecases.keep_decisions(tx, usecases.STOPPED, event.items)
