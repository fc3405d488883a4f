"""Read the hours."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, select

from kantis_contracts.values import Channel
from kantis_kit.tx import ReadTx
from messaging_svc.hours.model import sending_hours
from messaging_svc.hours.schemas import DayOut, HoursOut


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _out(row: Row[Any]) -> HoursOut:
    return HoursOut(
        channel=Channel(row.channel),
        country=row.country,
        is_own=row.is_own,
        valid_from=row.valid_from,
        days=[
            None if opens is None else DayOut(opens=_clock(opens), closes=_clock(closes))
            for opens, closes in zip(row.opens, row.closes, strict=True)
        ],
        rests_on_holidays=row.rests_on_holidays,
        source=row.source,
        changed_at=row.changed_at,
    )


async def list_hours(tx: ReadTx, channel: Channel | None = None) -> Sequence[HoursOut]:
    """Return every row there is, the newest of each kind first."""
    table = sending_hours
    statement = select(table).order_by(
        table.c.channel, table.c.country, table.c.is_own.desc(), table.c.valid_from.desc()
    )
    if channel is not None:
        statement = statement.where(table.c.channel == channel.value)
    return [_out(row) for row in await tx.execute(statement)]


async def hours_by_country(tx: ReadTx, channel: Channel) -> Callable[[str], HoursOut | None]:
    """Return what tells the hours that hold today in a country: the company's own before the defaults."""
    today = tx.clock.now().date()
    rows = [one for one in await list_hours(tx, channel) if one.valid_from <= today]

    def of(country: str) -> HoursOut | None:
        held = [one for one in rows if one.country in (country, "")]
        return max(held, key=lambda one: (one.is_own, one.country, one.valid_from), default=None)

    return of
