"""The models as they were fitted last, one a currency."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime
from sqlmodel import Field

from analytics_svc.base import Base


class WorthModel(Base, table=True):
    """Parameters of BG/NBD (in weeks) and, where enough customers bought again, of Gamma-Gamma (in minor units)."""

    __tablename__ = "worth_model"

    currency: str = Field(primary_key=True)
    fitted_at: datetime = Field(sa_type=DateTime(timezone=True))
    buyers: int = Field(sa_type=BigInteger)
    repeaters: int = Field(sa_type=BigInteger)
    r: float
    alpha: float
    a: float
    b: float
    p: float | None = None
    q: float | None = None
    v: float | None = None
