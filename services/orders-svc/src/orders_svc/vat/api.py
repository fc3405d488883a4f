"""Rates of VAT over HTTP."""

from kantis_contracts.values import Country
from kantis_kit.auth.policy import needs
from kantis_kit.web import Read, Router, Write
from orders_svc.vat import queries, usecases
from orders_svc.vat.schemas import VatRateIn, VatRateOut, VatRates

router = Router(prefix="/v1/products/vat-rates", tags=["catalogue"])


@router.get("", policy=needs("orders:read"))
async def list_vat_rates(tx: Read, country: Country | None = None) -> VatRates:
    """Return the rates of VAT by country, class and day."""
    rows = await queries.list_rates(tx, country)
    return VatRates(items=[VatRateOut.model_validate(row) for row in rows])


@router.post("", policy=needs("orders:write"), status_code=201)
async def set_vat_rate(body: VatRateIn, tx: Write) -> VatRateOut:
    """Enter a rate that begins on a day to come."""
    return VatRateOut.model_validate(await usecases.set_rate(tx, body))
