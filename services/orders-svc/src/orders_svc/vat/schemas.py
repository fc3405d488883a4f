"""Shapes of rates of VAT."""

from datetime import date
from enum import StrEnum

from pydantic import ConfigDict

from kantis_contracts.values import Country, VatPct
from kantis_kit.web.schemas import In, Out


class VatClass(StrEnum):
    """What the laws of VAT tell apart; `fixed` has a rate of its own wherever it is sold."""

    STANDARD = "standard"
    FOOD = "food"
    BOOKS = "books"
    PERIODICALS = "periodicals"
    TRAVEL = "travel"
    FIXED = "fixed"


class VatRateIn(In):
    """A rate from a day on."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "country": "SE",
                "vat_class": "food",
                "valid_from": "2030-01-01",
                "vat_pct": 12,
            }
        }
    )

    country: Country
    vat_class: VatClass
    valid_from: date
    vat_pct: VatPct


class VatRateOut(Out):
    """A rate from a day on, until a later one follows."""

    country: str
    vat_class: str
    valid_from: date
    vat_pct: VatPct


class VatRates(Out):
    """Rates of VAT."""

    items: list[VatRateOut]
