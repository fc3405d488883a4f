"""Which rate of VAT holds where and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select

from kantis_kit.tx import ReadTx
from orders_svc.vat.errors import VatUnknown
from orders_svc.vat.model import VatRate
from orders_svc.vat.schemas import VatClass


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of some countries on a day; where a country has none of its own, those of the company's hold."""

    home: str
    on: date
    by_class: dict[tuple[str, str], Decimal]

    def of(self, vat_class: str, country: str) -> Decimal:
        """Return the rate of a class in a country, its standard rate when the class has none. Raises `VatUnknown`."""
        for where in (country, self.home):
            for name in (vat_class, VatClass.STANDARD.value):
                if (where, name) in self.by_class:
                    return self.by_class[where, name]
        raise VatUnknown(f"No rate of VAT holds in {country} or {self.home} on {self.on}")


async def rates_on(tx: ReadTx, day: date, countries: Iterable[str], *, home: str) -> Rates:
    """Return what holds on a day in these countries and at home."""
    rows = await tx.execute(
        select(col(VatRate.country), col(VatRate.vat_class), col(VatRate.vat_pct))
        .ext(distinct_on(col(VatRate.country), col(VatRate.vat_class)))
        .where(col(VatRate.country).in_({home, *countries}), col(VatRate.valid_from) <= day)
        .order_by(col(VatRate.country), col(VatRate.vat_class), col(VatRate.valid_from).desc())
    )
    return Rates(home, day, {(row.country, row.vat_class): row.vat_pct for row in rows})


async def list_rates(tx: ReadTx, country: str | None) -> list[VatRate]:
    """Return every rate, of one country or of all."""
    statement = select(VatRate).order_by(
        col(VatRate.country), col(VatRate.vat_class), col(VatRate.valid_from)
    )
    if country is not None:
        statement = statement.where(col(VatRate.country) == country)
    return list(await tx.scalars(statement))
