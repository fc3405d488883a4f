"""Who sells and who buys, as it stands on the invoice for as long as the law wants it kept."""

from datetime import date, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from kantis_kit.calendar import is_working_day
from orders_svc.orders.model import SalesOrder
from orders_svc.orders.queries import address_of
from orders_svc.people.model import Person
from orders_svc.settings import Layout, OrdersSettings, PaymentAgreement

HOME_CURRENCY: Final = {"NO": "NOK", "SE": "SEK", "DK": "DKK", "FI": "EUR", "IS": "ISK"}
_HOME_LAYOUT: Final[dict[str, Layout]] = {
    "SE": "ocr_length",
    "DK": "fik71",
    "FI": "viitenumero",
}


class Seller(BaseModel):
    """The company on the day of the issue, and where it wants the money."""

    model_config = ConfigDict(frozen=True)

    name: str
    street: str
    postal_code: str
    city: str
    country: str
    number: str
    mail: str = ""
    account: str
    bic: str = ""

    @property
    def digits(self) -> str:
        """The number in the register of companies, bare."""
        return "".join(sign for sign in self.number if sign.isdigit())

    @property
    def register_id(self) -> str:
        """That number as e-invoices write it: Denmark's with its country."""
        return f"DK{self.digits}" if self.country == "DK" else self.digits

    @property
    def vat_id(self) -> str:
        """The number under which it pays VAT, as the country of the company writes it."""
        ending = {"NO": "MVA", "SE": "01"}.get(self.country, "")
        return f"{self.country}{self.digits}{ending}"

    @property
    def note(self) -> str:
        """What the law of some countries wants said of a company on each invoice.

        Source: foretaksregisterloven § 10-2; skatteförfarandelagen on F-skatt; 2026-11.
        """
        return {"NO": "Foretaksregisteret", "SE": "Godkänd för F-skatt"}.get(self.country, "")


class Buyer(BaseModel):
    """To whom an invoice is made out; emptied when its person is forgotten."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""

    @property
    def lines(self) -> list[str]:
        """The address as it is printed."""
        place = f"{self.postal_code} {self.city}".strip()
        return [line for line in (self.name, self.street, place) if line]


def agreement_of(settings: OrdersSettings, currency: str) -> PaymentAgreement:
    """Return where a currency is paid and with which references: as declared, or as is usual in the company's country."""
    for declared in settings.payment_agreements:
        if declared.currency == currency:
            return declared
    country = settings.company_country
    layout: Layout = "kid_mod11" if settings.reference_check == "mod11" else "kid_mod10"
    if country != "NO":
        layout = _HOME_LAYOUT.get(country, "rf")
    return PaymentAgreement(currency=currency, account=settings.bank_account, layout=layout)


def seller_of(settings: OrdersSettings, agreement: PaymentAgreement) -> Seller:
    """Return the company as it is now."""
    return Seller(
        name=settings.company_name,
        street=settings.company_street,
        postal_code=settings.company_postal_code,
        city=settings.company_city,
        country=settings.company_country,
        number=settings.company_number,
        mail=settings.company_mail,
        account=agreement.account,
        bic=agreement.bic,
    )


def buyer_of(order: SalesOrder, person: Person | None) -> Buyer:
    """Return to whom the invoice of an order is made out."""
    address = address_of(order, person)
    return Buyer(
        name=address["full_name"],
        street=address["street"],
        postal_code=address["postal_code"],
        city=address["city"],
        country=address["country"],
    )


def due_on(issued_on: date, country: str, settings: OrdersSettings) -> date:
    """Return when a buyer of a country has to pay: after the days agreed, on a day on which banks there are open."""
    days = settings.invoice_due_days_by_country.get(country, settings.invoice_due_days)
    day = issued_on + timedelta(days=days)
    known = country if country in HOME_CURRENCY else settings.company_country
    while not is_working_day(day, known):
        day += timedelta(days=1)
    return day
