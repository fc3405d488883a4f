"""Read the caps."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from kantis_contracts.values import Channel
from kantis_kit.tx import ReadTx
from messaging_svc.caps import sql
from messaging_svc.caps.errors import CapNotFound
from messaging_svc.caps.model import frequency_cap, spend_cap, spend_count
from messaging_svc.caps.schemas import FrequencyCapOut, SpendCapOut, SpentOut

_SHOWN = 12


async def list_frequency_caps(tx: ReadTx) -> Sequence[FrequencyCapOut]:
    """Return the caps on how much one person gets."""
    table = frequency_cap
    rows = await tx.execute(select(table).order_by(table.c.channel, table.c.window_seconds))
    return [
        FrequencyCapOut(
            id=row.id,
            channel=Channel(row.channel) if row.channel else None,
            max_messages=row.max_messages,
            window_hours=row.window_seconds // 3_600,
            changed_at=row.changed_at,
        )
        for row in rows
    ]


async def list_spend_caps(tx: ReadTx) -> Sequence[SpendCapOut]:
    """Return the spend caps with what was spent lately, and how much waits."""
    waiting = {row.channel: row.messages for row in await tx.execute(sql.WAITING)}
    rows = (await tx.execute(select(spend_cap).order_by(spend_cap.c.id))).all()
    return [
        SpendCapOut(
            **{name: getattr(row, name) for name in spend_cap.columns.keys()},  # noqa: SIM118 - columns
            waiting=waiting.get(row.channel, 0),
            spent=await _spent(tx, row.id),
        )
        for row in rows
    ]


async def _spent(tx: ReadTx, cap_id: UUID) -> list[SpentOut]:
    rows = await tx.execute(
        select(spend_count)
        .where(spend_count.c.cap_id == cap_id)
        .order_by(spend_count.c.scope.desc())
        .limit(_SHOWN)
    )
    return [SpentOut.model_validate(row) for row in rows]


async def get_spend_cap(tx: ReadTx, cap_id: UUID) -> SpendCapOut:
    """Return one spend cap.

    Raises:
        CapNotFound: there is none.
    """
    for cap in await list_spend_caps(tx):
        if cap.id == cap_id:
            return cap
    raise CapNotFound("No spend cap has this id")
