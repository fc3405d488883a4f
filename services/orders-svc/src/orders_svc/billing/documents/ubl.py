"""Invoices and credit notes as Peppol BIS Billing 3.0, which is Norway's EHF.

Our prices include VAT and the standard's do not: each rate's net amount is dealt out to its lines to the last penny, so
that they add up.

Source: docs.peppol.eu/poacc/billing/3.0, EN 16931-1; 2026-11. The tests run the published rules over what is made here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from babel.numbers import get_currency_precision

from kantis_kit.calendar import date_in
from orders_svc.billing.model import Invoice, InvoiceLine, InvoiceVat
from orders_svc.billing.parties import Buyer, Seller
from orders_svc.billing.queries import Sheet
from orders_svc.billing.schemas import InvoiceKind

_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC, CBC = f"{{{_UBL}CommonAggregateComponents-2}}", f"{{{_UBL}CommonBasicComponents-2}}"
CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
SCHEMES: Final = {"NO": "0192", "SE": "0007", "DK": "0184", "FI": "0037", "IS": "0196"}
"""Under which register of companies a seller is found in the network."""
_TRANSFER, _SEPA, _FIK = "30", "58", "93"
_SIX_PLACES = Decimal("0.000001")
"""Of a price without VAT: a line of any length stays within the two hundredths that the rules allow."""

register_namespace("cac", CAC[1:-1])
register_namespace("cbc", CBC[1:-1])


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where in the network the buyer gets it, and what the buyer wants on it."""

    scheme: str
    endpoint: str
    organisation_number: str = ""
    reference: str = ""


def write_ubl(sheet: Sheet, receiver: Receiver) -> bytes:
    """Return the document as XML."""
    return _Writer(sheet, receiver).write()


def net_amounts(lines: Sequence[InvoiceLine], shares: Sequence[InvoiceVat]) -> list[int]:
    """Return each line's amount without VAT; those of a rate add up to what the invoice says of it."""
    nets = [0] * len(lines)
    for share in shares:
        chosen = [n for n, line in enumerate(lines) if line.vat_pct == share.vat_pct]
        gross = sum(lines[n].amount_minor for n in chosen)
        given = 0
        for n in chosen:
            nets[n] = lines[n].amount_minor * share.net_minor // gross if gross else 0
            given += nets[n]
        # Whose cut-off part is the greatest gets a penny more, the first of equals first.
        for n in sorted(
            chosen, key=lambda n: -(lines[n].amount_minor * share.net_minor % (gross or 1))
        )[: share.net_minor - given]:
            nets[n] += 1
    return nets


class _Writer:
    def __init__(self, sheet: Sheet, receiver: Receiver) -> None:
        self.sheet, self.receiver = sheet, receiver
        self.invoice: Invoice = sheet.invoice
        self.seller = Seller(**self.invoice.seller)
        self.buyer = Buyer(**self.invoice.buyer)
        self.is_credit = self.invoice.kind == InvoiceKind.CREDIT_NOTE
        self.kind = "CreditNote" if self.is_credit else "Invoice"

    def write(self) -> bytes:
        # Written as the default namespace: the serializer would make up a prefix, which some receivers do not expect.
        invoice, root = self.invoice, Element(self.kind, xmlns=f"{_UBL}{self.kind}-2")
        _text(root, "CustomizationID", CUSTOMIZATION)
        _text(root, "ProfileID", PROFILE)
        _text(root, "ID", invoice.number)
        _text(root, "IssueDate", str(date_in(invoice.issued_at, self.seller.country)))
        if not self.is_credit:
            _text(root, "DueDate", str(invoice.due_on))
        _text(root, f"{self.kind}TypeCode", "381" if self.is_credit else "380")
        if invoice.credit_reason:
            _text(root, "Note", invoice.credit_reason)
        _text(root, "DocumentCurrencyCode", invoice.currency)
        if self.receiver.reference:
            _text(root, "BuyerReference", self.receiver.reference)
        _text(_node(root, "OrderReference"), "ID", self.sheet.order.number)
        if self.sheet.credits is not None:
            before = _node(_node(root, "BillingReference"), "InvoiceDocumentReference")
            _text(before, "ID", self.sheet.credits.number)
        self._seller(_node(_node(root, "AccountingSupplierParty"), "Party"))
        self._buyer(_node(_node(root, "AccountingCustomerParty"), "Party"))
        if self.is_credit:
            _text(_node(root, "PaymentTerms"), "Note", invoice.credit_reason)
        else:
            self._payment(_node(root, "PaymentMeans"))
        self._sums(root)
        for line, net_minor in zip(
            self.sheet.lines, net_amounts(self.sheet.lines, self.sheet.vat), strict=True
        ):
            self._line(_node(root, f"{self.kind}Line"), line, net_minor)
        made: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
        return made

    def _seller(self, party: Element) -> None:
        seller = self.seller
        scheme = SCHEMES.get(seller.country, SCHEMES["NO"])
        _text(party, "EndpointID", seller.register_id, schemeID=scheme)
        _address(party, seller.street, seller.city, seller.postal_code, seller.country)
        _tax_scheme(party, seller.vat_id, "VAT")
        if seller.note:
            _tax_scheme(party, seller.note, "TAX")
        legal = _node(party, "PartyLegalEntity")
        _text(legal, "RegistrationName", seller.name)
        _text(legal, "CompanyID", seller.register_id, schemeID=scheme)
        if seller.mail:
            _text(_node(party, "Contact"), "ElectronicMail", seller.mail)

    def _buyer(self, party: Element) -> None:
        buyer, receiver = self.buyer, self.receiver
        _text(party, "EndpointID", receiver.endpoint, schemeID=receiver.scheme)
        country = buyer.country or self.seller.country
        _address(party, buyer.street, buyer.city, buyer.postal_code, country)
        legal = _node(party, "PartyLegalEntity")
        _text(legal, "RegistrationName", buyer.name)
        if receiver.organisation_number:
            scheme = SCHEMES.get(country)
            _text(
                legal,
                "CompanyID",
                receiver.organisation_number,
                **({"schemeID": scheme} if scheme else {}),
            )

    def _payment(self, means: Element) -> None:
        invoice, layout = self.invoice, self.invoice.reference_kind
        reference, account = invoice.reference or "", self.seller.account.replace(" ", "")
        code = _TRANSFER
        if layout.startswith("fik"):
            code, reference = _FIK, f"{layout.removeprefix('fik')}#{reference}"
        elif account[:2].isalpha():
            code = _SEPA if invoice.currency == "EUR" else _TRANSFER
        _text(means, "PaymentMeansCode", code)
        _text(means, "PaymentID", reference)
        payee = _node(means, "PayeeFinancialAccount")
        _text(payee, "ID", account.replace("-", "").replace(".", ""))
        branch = "SE:BANKGIRO" if layout.startswith("ocr") else self.seller.bic
        if branch:
            _text(_node(payee, "FinancialInstitutionBranch"), "ID", branch)

    def _sums(self, root: Element) -> None:
        invoice, tax = self.invoice, _node(root, "TaxTotal")
        self._amount(tax, "TaxAmount", invoice.vat_minor)
        for share in self.sheet.vat:
            part = _node(tax, "TaxSubtotal")
            self._amount(part, "TaxableAmount", share.net_minor)
            self._amount(part, "TaxAmount", share.vat_minor)
            _rate(_node(part, "TaxCategory"), share.vat_pct)
        total = _node(root, "LegalMonetaryTotal")
        self._amount(total, "LineExtensionAmount", invoice.net_minor)
        self._amount(total, "TaxExclusiveAmount", invoice.net_minor)
        self._amount(total, "TaxInclusiveAmount", invoice.total_minor)
        self._amount(total, "PayableAmount", invoice.total_minor)

    def _line(self, root: Element, line: InvoiceLine, net_minor: int) -> None:
        _text(root, "ID", str(line.line_no))
        name = "CreditedQuantity" if self.is_credit else "InvoicedQuantity"
        _text(root, name, str(line.quantity), unitCode="EA")
        self._amount(root, "LineExtensionAmount", net_minor)
        item = _node(root, "Item")
        _text(item, "Name", line.name)
        if line.sku:
            _text(_node(item, "SellersItemIdentification"), "ID", line.sku)
        _rate(_node(item, "ClassifiedTaxCategory"), line.vat_pct)
        price = (self._whole(net_minor) / line.quantity).quantize(_SIX_PLACES)
        _text(
            _node(root, "Price"),
            "PriceAmount",
            f"{price.normalize():f}",
            currencyID=self.invoice.currency,
        )

    def _whole(self, amount_minor: int) -> Decimal:
        return Decimal(amount_minor).scaleb(-get_currency_precision(self.invoice.currency))

    def _amount(self, root: Element, name: str, amount_minor: int) -> None:
        _text(root, name, f"{self._whole(amount_minor):f}", currencyID=self.invoice.currency)


def _rate(category: Element, vat_pct: Decimal) -> None:
    _text(category, "ID", "S" if vat_pct else "Z")
    _text(category, "Percent", f"{vat_pct.normalize():f}")
    _text(_node(category, "TaxScheme"), "ID", "VAT")


def _tax_scheme(party: Element, number: str, scheme: str) -> None:
    root = _node(party, "PartyTaxScheme")
    _text(root, "CompanyID", number)
    _text(_node(root, "TaxScheme"), "ID", scheme)


def _address(party: Element, street: str, city: str, postal_code: str, country: str) -> None:
    root = _node(party, "PostalAddress")
    for name, value in (("StreetName", street), ("CityName", city), ("PostalZone", postal_code)):
        if value:
            _text(root, name, value)
    _text(_node(root, "Country"), "IdentificationCode", country)


def _node(root: Element, name: str) -> Element:
    return SubElement(root, CAC + name)


def _text(root: Element, name: str, value: str, **attributes: str) -> None:
    SubElement(root, CBC + name, attributes).text = value
