"""Keep the rates of VAT."""

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from kantis_kit.calendar import date_in
from kantis_kit.errors import Invalid
from kantis_kit.tx import Tx
from orders_svc.settings import OrdersSettings
from orders_svc.vat.errors import VatRateHeld
from orders_svc.vat.model import VatRate
from orders_svc.vat.schemas import VatClass, VatRateIn


async def set_rate(tx: Tx, given: VatRateIn) -> VatRate:
    """Enter a rate that will hold; one that has not begun may be corrected.

    Raises:
        VatRateHeld: it begins today or earlier.
        Invalid: the class has no rates.
    """
    if given.vat_class is VatClass.FIXED:
        raise Invalid("vat_class: what is fixed has the rate of its product")
    today = date_in(tx.clock.now(), tx.settings(OrdersSettings).company_country)
    if given.valid_from <= today:
        raise VatRateHeld(
            f"valid_from: {given.valid_from} has begun, and goods were sold by what held then;"
            f" enter a rate that begins after {today}"
        )
    values = {**given.model_dump(), "vat_class": given.vat_class.value}
    rate: VatRate = await tx.scalar(
        insert(VatRate)
        .values(values)
        .on_conflict_do_update(
            index_elements=[
                col(VatRate.country),
                col(VatRate.vat_class),
                col(VatRate.valid_from),
            ],
            set_={"vat_pct": given.vat_pct},
        )
        .returning(VatRate)
    )
    return rate
