"""Reads of reservation registers."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col

from contacts_svc.permissions.gather import is_recent
from contacts_svc.permissions.model import Register, Wash
from contacts_svc.washing.errors import RegisterUnknown
from contacts_svc.washing.schemas import RegisterOut, WashOut
from kantis_kit.tx import ReadTx, Tx


async def lock_register(tx: Tx, key: str) -> Register:
    """Return a register, locked: its files are taken in one after the other. Raises `RegisterUnknown`."""
    register: Register | None = await tx.scalar(
        select(Register).where(col(Register.key) == key).with_for_update()
    )
    if register is None:
        raise RegisterUnknown(f"GET /v1/registers lists them; {key} is none of them")
    return register


async def newest_washes(tx: ReadTx) -> dict[UUID, Wash]:
    """Return the newest wash of each register."""
    rows = await tx.scalars(
        select(Wash)
        .ext(distinct_on(col(Wash.register_id)))
        .order_by(col(Wash.register_id), col(Wash.as_of).desc(), col(Wash.id).desc())
    )
    return {row.register_id: row for row in rows}


async def list_registers(tx: ReadTx, *, key: str | None = None) -> list[RegisterOut]:
    """Return the registers with how their washes stand today."""
    wanted = select(Register).order_by(col(Register.country), col(Register.key)).limit(200)
    if key is not None:
        wanted = wanted.where(col(Register.key) == key)
    last = await newest_washes(tx)
    return [_register_out(row, last.get(row.id), tx) for row in await tx.scalars(wanted)]


def _register_out(register: Register, wash: Wash | None, tx: ReadTx) -> RegisterOut:
    washed_on = wash.as_of if wash else None
    return RegisterOut(
        **register.model_dump(exclude={"created_at"}),
        washed_on=washed_on,
        is_recent=is_recent(register, washed_on, tx.clock.now().date()),
        due_on=washed_on + timedelta(days=register.interval_days) if washed_on else None,
        named=wash.named if wash else 0,
    )


async def list_washes(tx: ReadTx, key: str) -> list[WashOut]:
    """Return the newest washes of a register. Raises `RegisterUnknown`."""
    register = await tx.scalar(select(Register).where(col(Register.key) == key))
    if register is None:
        raise RegisterUnknown(f"GET /v1/registers lists them; {key} is none of them")
    rows = await tx.scalars(
        select(Wash)
        .where(col(Wash.register_id) == register.id)
        .order_by(col(Wash.as_of).desc(), col(Wash.id).desc())
        .limit(100)
    )
    return [WashOut.model_validate(row) for row in rows]
