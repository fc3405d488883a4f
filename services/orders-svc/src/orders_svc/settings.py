"""The knobs of orders-svc."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from kantis_contracts.values import Country, Currency
from kantis_kit.settings import ServiceSettings

Layout = Literal[
    "kid_mod10",
    "kid_mod11",
    "ocr",
    "ocr_length",
    "ocr_fixed",
    "viitenumero",
    "rf",
    "fik71",
    "fik75",
]
"""How a payment reference is made: Norway's KID, Sweden's OCR on its levels 2 to 4, Finland's, ISO 11649, Denmark's."""


class PaymentAgreement(BaseModel):
    """What was agreed with a bank: into which account a currency is paid, and which references it reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: Currency
    account: str = Field(min_length=2)
    """As printed: a Norwegian account, a bankgiro, a Danish creditor number, an IBAN."""
    bic: str = ""
    layout: Layout
    length: int = Field(default=0, ge=0, le=25)
    """Digits of the whole reference, filled up with zeros, where the layout leaves it open; 0: as short as can be."""


class OrdersSettings(ServiceSettings):
    """What an installation says about the company that sells."""

    company_name: str = "Kantis Demo AS"
    company_street: str = "Storgata 1"
    company_postal_code: str = "0155"
    company_city: str = "Oslo"
    company_country: Country = "NO"
    company_number: str = "974760673 MVA"
    """Number in the register of companies, as the law wants it printed on invoices."""
    company_mail: str = ""
    """Where an invoice is asked about."""
    bank_account: str = "1503 40 12345"
    further_bank_accounts: tuple[str, ...] = ()
    """Other accounts of ours that the bank's files may tell of, as numbers or IBAN."""
    """The account of the company's own country; others stand in `payment_agreements`."""
    reference_check: Literal["mod10", "mod11"] = "mod10"
    """Control digit of the KID, as agreed with the bank."""
    payment_agreements: list[PaymentAgreement] = []
    """One per currency; a currency without one is paid into `bank_account`, with the reference of the country."""
    invoice_due_days: int = Field(default=14, ge=0, le=365)
    invoice_due_days_by_country: dict[Country, int] = {}
    """Other terms for buyers of a country."""
    gs1_company_prefix: str = Field(default="2000000", pattern=r"^[0-9]{6,12}$")
    """From the national GS1 office; this one is for use inside a company alone."""
    s10_service: str = Field(default="RR", pattern=r"^[A-Z]{2}$")
    s10_first: int = Field(default=0, ge=0, le=99_999_999)
    s10_numbers: int = Field(default=0, ge=0, le=100_000_000)
    """How many numbers of postal items the post has given us, from the first on; 0 when none."""
    withdrawal_extra_days: int = Field(default=0, ge=0, le=3_650)
    """How much longer customers may withdraw than the law says."""
    letter_cost_minor: int = Field(default=2_500, ge=0)
    """What a letter costs to print and send: lost when it comes back, saved when it is not sent again."""
    parcel_return_cost_minor: int = Field(default=7_300, ge=0)
    """What a carrier asks for a parcel that it brings back."""
    bring_url: str = "https://api.bring.com/booking-api"
    bring_uid: str = ""
    bring_key: SecretStr = SecretStr("")
    bring_customer: str = ""
    postnord_url: str = "https://api2.postnord.com"
    postnord_key: SecretStr = SecretStr("")
    postnord_customer: str = ""
    posti_url: str = "https://gateway.posti.fi/shippingapi"
    posti_token: SecretStr = SecretStr("")
    posti_customer: str = ""
    carriers_test: bool = False
    """Carriers are told that nothing is to be fetched: for trying out an agreement."""
    recommendation_min_buyers: int = 3
    """So many people must have bought both before one is recommended to buyers of the other."""
    recommendation_most: int = 10
    usual_response_pct: float = 2.0
    """How many of its pieces a campaign is thought to have answered that says nothing itself."""
    ledger_accounts: dict[str, str] = {}
    """Numbers of accounts that differ from the country's usual chart: `bank` or, per rate, `vat/25.5`."""
    response_file_rows: int = 2_000
    """Rows of a file that share a transaction."""
    deadline_warning_hours: int = 16
    """So long before an answer is due somebody is warned: on the morning of its last day."""
    dunning_is_on: bool = True
    """Whether the clock reminds; steps can be entered by hand all the same."""
    dunning_grace_days: int = 3
    """How long after a deadline money may be on its way: what was given to the bank in time came in time."""
    dunning_least_minor: int = 0
    """Less than this is not asked for."""
    dunning_interest: bool = True
    dunning_fees_agreed: bool = False
    """Whether the terms of sale name the reminder fee: Sweden wants it agreed when the debt arises."""
    dunning_unverified_rates: bool = False
    """Whether rows of the law's tables hold that nobody has read in their source yet."""
    warning_by_agency_from: date | None = None
    """From which day on only an agency sends the warning before collection, where the law says so."""
    agency_name: str = ""
    """The collection agency; without one, the clock hands nothing over."""
    credit_limit_minor: int | None = None
    """What a customer may owe of whom nothing else was agreed; no limit when it is left out."""
