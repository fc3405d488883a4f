"""Our own copy of what addressing a person needs; contacts-svc owns the person."""

from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from kantis_contracts.values import Language
from orders_svc.base import Base


class Person(Base, table=True):
    """Whom a parcel and an invoice go to; `version` is that of the source."""

    __table_args__ = (Index("person_phone", "phone", postgresql_where="phone <> ''"),)

    person_id: UUID = Field(primary_key=True)
    version: int
    preferred_name: str = ""
    full_name: str = ""
    language: str = Language.EN.value
    country: str = "NO"
    street: str = ""
    postal_code: str = ""
    city: str = ""
    address_country: str = ""
    phone: str = ""
    """In its one spelling, by which callers are known."""
    has_email: bool = True
    """Whether there is an e-mail address at which messages are not known to fail; the address itself is not ours."""
    is_erased: bool = False
