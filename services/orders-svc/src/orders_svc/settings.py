"""The knobs of orders-svc."""

from typing import Literal

from kantis_contracts.values import Country
from kantis_kit.settings import ServiceSettings


class OrdersSettings(ServiceSettings):
    """What an installation says about the company that sells."""

    company_name: str = "Kantis Demo AS"
    company_street: str = "Storgata 1"
    company_postal_code: str = "0155"
    company_city: str = "Oslo"
    company_country: Country = "NO"
    company_number: str = "974760673 MVA"
    """Number in the register of companies, as the law wants it printed on invoices."""
    bank_account: str = "1503 40 12345"
    reference_check: Literal["mod10", "mod11"] = "mod10"
    """Control digit of the KID, as agreed with the bank."""
    invoice_due_days: int = 14
