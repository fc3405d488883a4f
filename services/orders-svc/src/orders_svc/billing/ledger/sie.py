"""The ledger as a SIE file of type 4, which bookkeeping programmes of the Nordic countries read.

Source: SIE-gruppen, "SIE filformat" 4B; 2026-11. A file has one currency. Its letters are those of IBM PC 8-bit (CP437);
a letter that is not among them becomes a question mark.
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from datetime import date

from babel.numbers import get_currency_precision

from orders_svc.billing.ledger.queries import Voucher
from orders_svc.billing.ledger.schemas import TrialBalance
from orders_svc.settings import OrdersSettings

ENCODING = "cp437"


async def sie_lines(
    settings: OrdersSettings,
    balance: TrialBalance,
    vouchers: AsyncIterable[Voucher],
    *,
    currency: str,
    made_on: date,
) -> AsyncIterator[bytes]:
    """Yield the file line by line: who, which accounts, what they held before and after, and every voucher."""
    places = get_currency_precision(currency)
    for line in _head(settings, balance, currency, made_on, places):
        yield _encoded(line)
    async for voucher in vouchers:
        yield _encoded(f'#VER A "" {voucher.booked_on:%Y%m%d} {_quoted(voucher.text)}')
        yield _encoded("{")
        for number, amount_minor in voucher.sides:
            yield _encoded(f"\t#TRANS {number} {{}} {_amount(amount_minor, places)}")
        yield _encoded("}")


def _head(
    settings: OrdersSettings, balance: TrialBalance, currency: str, made_on: date, places: int
) -> Iterable[str]:
    yield "#FLAGGA 0"
    yield "#FORMAT PC8"
    yield "#SIETYP 4"
    yield '#PROGRAM "Kantis" 1'
    yield f"#GEN {made_on:%Y%m%d}"
    yield f"#FNAMN {_quoted(settings.company_name)}"
    yield f"#ORGNR {_quoted(settings.company_number)}"
    yield f"#RAR 0 {balance.first_on:%Y%m%d} {balance.last_on:%Y%m%d}"
    yield f"#VALUTA {currency}"
    sums: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for row in balance.rows:
        if row.currency == currency:
            names.setdefault(row.number, row.name)
            held = sums.setdefault(row.number, [0, 0])
            held[0] += row.opening_minor
            held[1] += row.closing_minor
    for number, name in names.items():
        yield f"#KONTO {number} {_quoted(name)}"
    for number, (opening_minor, closing_minor) in sums.items():
        if number.startswith(("1", "2")):
            yield f"#IB 0 {number} {_amount(opening_minor, places)}"
            yield f"#UB 0 {number} {_amount(closing_minor, places)}"
        else:
            yield f"#RES 0 {number} {_amount(closing_minor - opening_minor, places)}"


def _amount(amount_minor: int, places: int) -> str:
    sign, digits = "-" * (amount_minor < 0), str(abs(amount_minor)).zfill(places + 1)
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else sign + digits


def _quoted(text: str) -> str:
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _encoded(line: str) -> bytes:
    return (line + "\r\n").encode(ENCODING, errors="replace")
