"""What machines read on an invoice: the line of the giro slip and the Finnish bar code.

Sources: Bits "Blankett for innbetaling" (NO), Bankgirot "Tekniska krav för OCR-avier" (SE), Nets "FIK-manual" (DK),
Finance Finland "Pankkiviivakoodi-opas" 2.3 (FI); 2026-11.
"""

from orders_svc.billing.model import Invoice
from orders_svc.billing.references import luhn_digit

HUNDRED = 100
_MOST_EUROS = 999_999
"""What the bar code has digits for; of a greater sum it says nothing, and the payer keys it."""


def giro_line(invoice: Invoice, account: str) -> str:
    """Return the line that a bank reads from the slip, empty where a country has none."""
    layout, reference = invoice.reference_kind, invoice.reference or ""
    number = "".join(sign for sign in account if sign.isdigit())
    whole, part = divmod(invoice.open_minor, HUNDRED)
    check = luhn_digit(f"{whole}{part:02}")
    if layout.startswith("kid"):
        return f"H   {reference}   {whole} {part:02} < {check} >   {number} <"
    if layout.startswith("ocr"):
        return f"# {reference} #   {whole} {part:02} {check} >   {number}#41#"
    if layout.startswith("fik"):
        return f"+{layout.removeprefix('fik')}<{reference}+{number}<"
    return ""


def virtual_barcode(invoice: Invoice, account: str) -> str:
    """Return the 54 digits of the Finnish bank bar code; empty for what is not paid to a Finnish account in euros."""
    iban = account.replace(" ", "").upper()
    reference = invoice.reference or ""
    if invoice.currency != "EUR" or not iban.startswith("FI"):
        return ""
    whole, part = divmod(invoice.open_minor, HUNDRED)
    amount = f"{whole:06}{part:02}" if whole <= _MOST_EUROS else "0" * 8
    if invoice.reference_kind == "viitenumero":
        version, field = "4", "000" + reference.zfill(20)
    elif reference.startswith("RF") and reference[2:].isdigit():
        version, field = "5", reference[2:4] + reference[4:].zfill(21)
    else:
        return ""
    return f"{version}{iban[2:]}{amount}{field}{invoice.due_on:%y%m%d}"
