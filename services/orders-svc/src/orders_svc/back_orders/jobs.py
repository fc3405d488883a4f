"""Timed work of back orders: goods have come, or are expected on another day."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from kantis_kit.timers import Timer, on_timer, recurring
from kantis_kit.tx import Tx
from orders_svc.back_orders import usecases
from orders_svc.catalogue.usecases import STOCK_TIMER
from orders_svc.incoming.usecases import PROMISE_TIMER


@on_timer(STOCK_TIMER)
async def on_stock_arrived(tx: Tx, timers: Sequence[Timer]) -> None:
    """Serve whoever waits for what has come."""
    await usecases.serve_waiting(tx, _products(timers))


@on_timer(PROMISE_TIMER)
async def on_delivery_changed(tx: Tx, timers: Sequence[Timer]) -> None:
    """Tell whoever waits when it is expected now."""
    await usecases.promise_anew(tx, _products(timers))


@recurring("back_orders.sweep", every=timedelta(minutes=10))
async def sweep(tx: Tx) -> None:
    """Look again for goods that somebody waits for."""
    await usecases.sweep(tx)


def _products(timers: Sequence[Timer]) -> list[UUID]:
    return sorted({UUID(timer.payload["product_id"]) for timer in timers})
