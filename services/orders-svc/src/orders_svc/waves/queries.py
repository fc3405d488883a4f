"""Read waves."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.waves.errors import WaveNotFound
from orders_svc.waves.model import LineState, MemberState, Wave, WaveLine, WaveOrder, WaveState
from orders_svc.waves.schemas import WaveOut


async def get_wave(tx: ReadTx, wave_id: UUID) -> Wave:
    """Return a wave. Raises `WaveNotFound`."""
    wave = await tx.get(Wave, wave_id)
    if wave is None:
        raise WaveNotFound(f"No wave has the id {wave_id}")
    return wave


async def show_waves(tx: ReadTx, waves: Sequence[Wave]) -> list[WaveOut]:
    """Return waves, and how many lines of each wait."""
    rows = await tx.execute(
        select(col(WaveLine.wave_id), func.count().label("lines"))
        .where(
            col(WaveLine.wave_id).in_([wave.wave_id for wave in waves]),
            col(WaveLine.state) == LineState.WAITING.value,
        )
        .group_by(col(WaveLine.wave_id))
    )
    waiting = {row.wave_id: row.lines for row in rows}
    shown = []
    for wave in waves:
        out = WaveOut.model_validate(wave)
        out.waiting = waiting.get(wave.wave_id, 0)
        shown.append(out)
    return shown


async def list_waves(
    tx: ReadTx, *, state: WaveState | None, after: UUID | None, limit: int
) -> list[Wave]:
    """Return a page of waves in the sequence of their making."""
    statement = select(Wave).order_by(col(Wave.wave_id)).limit(limit)
    if state is not None:
        statement = statement.where(col(Wave.state) == state.value)
    if after is not None:
        statement = statement.where(col(Wave.wave_id) > after)
    return list(await tx.scalars(statement))


async def list_lines(
    tx: ReadTx, wave_id: UUID, *, state: LineState | None, after: int, limit: int
) -> list[WaveLine]:
    """Return a page of a wave's lines in the sequence of the walk."""
    statement = (
        select(WaveLine)
        .where(col(WaveLine.wave_id) == wave_id, col(WaveLine.walk_no) > after)
        .order_by(col(WaveLine.walk_no))
        .limit(limit)
    )
    if state is not None:
        statement = statement.where(col(WaveLine.state) == state.value)
    return list(await tx.scalars(statement))


async def find_membership(tx: ReadTx, order_id: UUID) -> WaveOrder | None:
    """Return where an order is in the wave in which it is now, or None."""
    found: WaveOrder | None = await tx.scalar(
        select(WaveOrder)
        .where(
            col(WaveOrder.order_id) == order_id,
            col(WaveOrder.state) != MemberState.DONE.value,
        )
        .execution_options(populate_existing=True)
    )
    return found


async def picked_of(tx: ReadTx, membership: WaveOrder) -> dict[int, int]:
    """Return how many of each line of an order lie in its box."""
    rows = await tx.execute(
        select(col(WaveLine.line_no), col(WaveLine.picked)).where(
            col(WaveLine.wave_id) == membership.wave_id,
            col(WaveLine.order_id) == membership.order_id,
        )
    )
    return {row.line_no: row.picked for row in rows}
