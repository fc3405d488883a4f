"""Rates of VAT by country, class of goods and day."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from orders_svc.base import Base, Pct


class VatRate(Base, table=True):
    """A rate from a day on, until a later one follows."""

    __tablename__ = "vat_rate"
    __table_args__ = (CheckConstraint("vat_pct BETWEEN 0 AND 100", name="vat_rate_pct"),)

    country: str = Field(primary_key=True)
    vat_class: str = Field(primary_key=True)
    valid_from: date = Field(primary_key=True)
    vat_pct: Decimal = Field(sa_type=Pct)
