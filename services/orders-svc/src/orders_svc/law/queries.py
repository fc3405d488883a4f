"""Read the rates of the release together with those that were entered since."""

from datetime import date, timedelta

from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.law.model import LawRate
from orders_svc.law.tables import Debtor, Interest, half_year, interest_of


async def entered_rates(tx: ReadTx) -> dict[tuple[str, str], list[Interest]]:
    """Return the rates that were entered, by country and debtor."""
    found: dict[tuple[str, str], list[Interest]] = {}
    rows = await tx.scalars(select(LawRate).order_by(col(LawRate.valid_from)))
    for row in rows:
        first, last = half_year(row.valid_from)
        found.setdefault((row.country, row.kind), []).append(Interest(first, last, row.pct))
    return found


def rates_of(
    entered: dict[tuple[str, str], list[Interest]], country: str, debtor: Debtor
) -> list[Interest]:
    """Return all rates of a country and debtor; what was entered goes before what the release brought."""
    own = entered.get((country, debtor.value), [])
    firsts = {one.first for one in own}
    return [*own, *(one for part in interest_of(country, debtor) for one in _without(part, firsts))]


def _without(rate: Interest, firsts: set[date]) -> list[Interest]:
    """Return the half-years of a rate that were not entered anew."""
    halves, day = [], rate.first
    while day <= rate.last:
        first, last = half_year(day)
        if first not in firsts:
            halves.append(Interest(first, last, rate.pct))
        day = last + timedelta(days=1)
    return halves


async def sources_of(tx: ReadTx, country: str, debtor: Debtor) -> dict[date, str]:
    """Return where the rates were read that were entered, by the first day of their half-year."""
    rows = await tx.scalars(
        select(LawRate).where(col(LawRate.country) == country, col(LawRate.kind) == debtor.value)
    )
    return {one.valid_from: one.source for one in rows}
