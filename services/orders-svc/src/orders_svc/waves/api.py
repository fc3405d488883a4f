"""Waves over HTTP, made for a scanner in one hand."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from kantis_kit.auth.policy import needs
from kantis_kit.tx import ReadTx
from kantis_kit.web import Page, Read, Router, Write, encode_cursor, id_after
from kantis_kit.web.paging import read_cursor
from orders_svc.orders.queries import show_orders
from orders_svc.orders.schemas import OrderOut
from orders_svc.waves import queries, usecases
from orders_svc.waves.model import LineState, Wave, WaveState
from orders_svc.waves.schemas import (
    MAX_LINES,
    PickIn,
    PriorityIn,
    ShortIn,
    TakeIn,
    TakenOut,
    WaveIn,
    WaveLineOut,
    WaveOut,
)

router = Router(prefix="/v1/waves", tags=["waves"])
priorities = Router(prefix="/v1/orders", tags=["waves"])
WalkNo = Annotated[int, Path(ge=1, le=MAX_LINES)]
READ, WRITE = needs("orders:read"), needs("orders:write")


@router.post("", policy=WRITE, status_code=201)
async def make_wave(body: WaveIn, tx: Write, response: Response) -> WaveOut:
    """Gather placed orders into a wave, and put what they want in the sequence of the places."""
    wave = await usecases.make_wave(tx, max_orders=body.max_orders)
    response.headers["Location"] = f"/v1/waves/{wave.wave_id}"
    return await _show(tx, wave)


@router.get("", policy=READ)
async def list_waves(
    tx: Read,
    state: WaveState | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[WaveOut]:
    """Return waves in the sequence of their making."""
    rows = await queries.list_waves(tx, state=state, after=id_after(cursor), limit=limit)
    more = encode_cursor(rows[-1].wave_id) if len(rows) == limit else None
    return Page(items=await queries.show_waves(tx, rows), next_cursor=more)


@router.get("/{wave_id}", policy=READ)
async def get_wave(wave_id: UUID, tx: Read) -> WaveOut:
    """Return a wave, and how many of its lines wait."""
    return await _show(tx, await queries.get_wave(tx, wave_id))


@router.get("/{wave_id}/lines", policy=READ)
async def list_lines(
    wave_id: UUID,
    tx: Read,
    state: LineState | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> Page[WaveLineOut]:
    """Return the pick list of a wave in the sequence of the walk, page by page."""
    await queries.get_wave(tx, wave_id)
    after = read_cursor(cursor, int)
    rows = await queries.list_lines(
        tx, wave_id, state=state, after=min(after[0], MAX_LINES) if after else 0, limit=limit
    )
    more = encode_cursor(rows[-1].walk_no) if len(rows) == limit else None
    return Page(items=[WaveLineOut.model_validate(row) for row in rows], next_cursor=more)


@router.post("/{wave_id}/take", policy=WRITE)
async def take_lines(wave_id: UUID, tx: Write, body: TakeIn | None = None) -> TakenOut:
    """Take the next lines of a walk; who does not confirm them within half an hour has lost them."""
    taken = await usecases.take_lines(tx, wave_id, lines=(body or TakeIn()).lines)
    return TakenOut(lines=[WaveLineOut.model_validate(line) for line in taken])


@router.post("/{wave_id}/lines/{walk_no}/pick", policy=WRITE)
async def pick_line(wave_id: UUID, walk_no: WalkNo, body: PickIn, tx: Write) -> WaveLineOut:
    """Confirm a line by the code of the product that was scanned at the shelf."""
    line = await usecases.confirm(tx, wave_id, walk_no, code=body.code, quantity=body.quantity)
    return WaveLineOut.model_validate(line)


@router.post("/{wave_id}/lines/{walk_no}/short", policy=WRITE)
async def short_line(wave_id: UUID, walk_no: WalkNo, body: ShortIn, tx: Write) -> WaveLineOut:
    """Say that the shelf has fewer than wanted; the rest comes later, or is called off."""
    return WaveLineOut.model_validate(await usecases.fall_short(tx, wave_id, walk_no, body))


@router.post("/{wave_id}/cancel", policy=WRITE)
async def cancel_wave(wave_id: UUID, tx: Write) -> WaveOut:
    """Let the orders of a wave go of which nothing was taken yet."""
    return await _show(tx, await usecases.cancel_wave(tx, wave_id))


@priorities.post("/{order_id}/priority", policy=WRITE)
async def set_priority(order_id: UUID, body: PriorityIn, tx: Write) -> OrderOut:
    """Say that waves take an order before others, or after them."""
    order = await usecases.set_priority(tx, order_id, body.priority)
    (shown,) = await show_orders(tx, [order])
    return shown


async def _show(tx: ReadTx, wave: Wave) -> WaveOut:
    (shown,) = await queries.show_waves(tx, [wave])
    return shown
