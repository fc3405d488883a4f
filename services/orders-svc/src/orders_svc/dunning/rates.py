"""Late interest that is entered half-year by half-year, next to what the release brought."""

from datetime import date

from sqlalchemy.dialects.postgresql import insert

from kantis_kit.tx import ReadTx, Tx
from orders_svc.dunning.errors import StepOfAnotherDay
from orders_svc.dunning.schemas import InterestIn, InterestOut
from orders_svc.law.model import LawRate
from orders_svc.law.queries import entered_rates, rates_of, sources_of
from orders_svc.law.tables import Debtor, half_year


async def set_interest(
    tx: Tx, country: str, debtor: Debtor, valid_from: date, given: InterestIn
) -> None:
    """Keep the rate of a half-year. Raises `StepOfAnotherDay` for a day on which none begins."""
    first, _ = half_year(valid_from)
    if valid_from != first:
        raise StepOfAnotherDay(f"valid_from: a half-year begins on {first}, not on {valid_from}")
    values = LawRate(
        country=country,
        kind=debtor.value,
        valid_from=valid_from,
        pct=given.pct,
        source=given.source,
        set_by=tx.actor,
        set_at=tx.clock.now(),
    ).model_dump()
    changed = {name: values[name] for name in ("pct", "source", "set_by", "set_at")}
    await tx.execute(
        insert(LawRate)
        .values(values)
        .on_conflict_do_update(index_elements=["country", "kind", "valid_from"], set_=changed)
    )
    tx.audit("law.interest", f"{country}/{debtor.value}/{valid_from}", pct=str(given.pct))


async def list_interest(tx: ReadTx, country: str, debtor: Debtor) -> list[InterestOut]:
    """Return all rates of a country and debtor, the newest first."""
    found = rates_of(await entered_rates(tx), country, debtor)
    sources = await sources_of(tx, country, debtor)
    return [
        InterestOut(
            country=country,
            debtor=debtor.value,
            first=one.first,
            last=one.last,
            pct=one.pct,
            source=sources.get(one.first, ""),
        )
        for one in sorted(found, key=lambda one: one.first, reverse=True)
    ]
