"""What the books need of persons who are forgotten, kept apart from everything else."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid
from sqlmodel import Field

from orders_svc.base import Base

_LEGAL_YEARS = {"NO": 5, "DK": 5, "SE": 7, "FI": 6, "IS": 7}
_LONGEST_LEGAL_YEARS = 10


class RestrictedRecipient(Base, table=True):
    """To whom an invoice was made out; shown to nobody but bookkeepers, and gone with the legal years."""

    __tablename__ = "restricted_recipient"
    __table_args__ = (Index("restricted_recipient_until", "keep_until"),)

    invoice_id: UUID = Field(
        primary_key=True, sa_type=Uuid, sa_column_args=(ForeignKey("invoice.invoice_id"),)
    )
    recipient: str
    keep_until: date


def legal_years(country: str) -> int:
    """Return for how many years after the end of a year its vouchers are kept.

    Source: bokføringsloven § 13 (NO), bogføringsloven § 12 (DK), bokföringslagen 7 kap. 2 § (SE), kirjanpitolaki 2:10
    (FI, vouchers), lög um bókhald 20. gr. (IS); where the law is not known here, the longest that we have met.
    """
    return _LEGAL_YEARS.get(country, _LONGEST_LEGAL_YEARS)
