"""Find the invoices that payments are for: by reference, by what the payer wrote, by amount and payer."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import ColumnElement, String, Uuid, func
from sqlmodel import col, or_, select, tuple_

from kantis_kit.db.sets import one_of
from kantis_kit.tx import ReadTx, Tx
from orders_svc.billing.model import Invoice, is_owed, open_amount
from orders_svc.billing.references import luhn_digit, mod11_digit
from orders_svc.payments.model import Arrival, MatchedBy, Payment
from orders_svc.payments.schemas import Candidate

_RF = re.compile(r"RF[0-9]{2}[0-9A-Z]+")
_NUMBERS = re.compile(r"[0-9]+(?:-[0-9]+)*")
_LEAST_DIGITS = 4
_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Match:
    """The invoice of a payment, and how it was found."""

    invoice: Invoice
    by: MatchedBy


def plain(reference: str) -> str:
    """Return a reference as it is stored, without what people put between its signs."""
    return reference.replace(" ", "").replace("-", "").upper()


def spellings(reference: str) -> list[str]:
    """Return how a reference may stand on an invoice: banks fill up with zeros, and wrap it as RF."""
    found = [reference]
    if _RF.fullmatch(reference):
        found.append(reference[4:])
    found += [one.lstrip("0") for one in found]
    return [one for one in dict.fromkeys(found) if one]


def written(text: str) -> list[str]:
    """Return what in a payer's words may be a reference or an invoice's number."""
    tokens = [one for one in _NUMBERS.findall(text) if len(plain(one)) >= _LEAST_DIGITS]
    parts = re.findall(r"[0-9]+", text)
    joined = [left + right for left, right in pairwise(parts)]
    return list(dict.fromkeys([*tokens, *map(plain, tokens), *joined]))


def why_unknown(reference: str) -> str:
    """Return why no invoice has a reference."""
    if not reference:
        return "no_reference"
    base, digit = reference[:-1], reference[-1:]
    if not (base.isascii() and base.isdigit() and digit in (luhn_digit(base), mod11_digit(base))):
        return "bad_check_digit"
    return "unknown_reference"


async def lock_invoices(tx: Tx, references: Iterable[str]) -> dict[str, Invoice]:
    """Return invoices locked until the end of the transaction, by each of the spellings that lead to them."""
    wanted = {spelling: one for one in references for spelling in reversed(spellings(one))}
    if not wanted:
        return {}
    rows = await _lock(tx, col(Invoice.reference) == one_of(list(wanted), String()))
    return {str(one.reference): one for one in rows}


async def _lock(tx: Tx, *conditions: ColumnElement[bool]) -> list[Invoice]:
    rows = await tx.scalars(
        select(Invoice)
        .where(*conditions)
        .order_by(col(Invoice.invoice_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def find_all(tx: Tx, payments: Sequence[Payment | Arrival]) -> dict[int, Match]:
    """Return the invoices of payments by their place, those of a reference first; locked."""
    known = await lock_invoices(tx, (one.reference for one in payments if one.reference))
    found: dict[int, Match] = {}
    for place, one in enumerate(payments):
        hits = [known[spelling] for spelling in spellings(one.reference) if spelling in known]
        if hits:
            found[place] = Match(hits[0], MatchedBy.REFERENCE)
    left = [place for place in range(len(payments)) if place not in found]
    if left:
        found |= await _by_text(tx, payments, left)
        left = [place for place in left if place not in found]
        found |= await _by_payer(tx, payments, left)
    return found


async def _by_text(
    tx: Tx, payments: Sequence[Payment | Arrival], left: list[int]
) -> dict[int, Match]:
    words = {place: written(payments[place].remittance) for place in left}
    wanted = sorted({one for listed in words.values() for one in listed})
    if not wanted:
        return {}
    listed = one_of(wanted, String())
    rows = await _lock(
        tx,
        or_(col(Invoice.reference) == listed, col(Invoice.number) == listed),
        col(Invoice.reference).is_not(None),  # a credit note asks for nothing
    )
    named: dict[str, Invoice] = {}
    for one in rows:
        named[str(one.reference)] = named[one.number] = one
    found = {}
    for place, tokens in words.items():
        hits = {named[one].invoice_id: named[one] for one in tokens if one in named}
        if len(hits) == 1:
            found[place] = Match(next(iter(hits.values())), MatchedBy.TEXT)
    return found


async def _by_payer(
    tx: Tx, payments: Sequence[Payment | Arrival], left: list[int]
) -> dict[int, Match]:
    """Match what exactly one open invoice of this amount explains that is made out to who paid; each is taken once."""
    asked = [place for place in left if payments[place].payer_name]
    if not asked:
        return {}
    sums = {(payments[place].currency, payments[place].amount_minor) for place in asked}
    wanted = {place: _key_of(payments[place]) for place in asked}
    keys = set(wanted.values())
    # One sum may be open on a hundred thousand invoices: of those only the few that bear a payer's name are locked.
    rows = await tx.execute(
        select(
            col(Invoice.invoice_id),
            col(Invoice.currency),
            open_amount().label("open_minor"),
            func.split_part(col(Invoice.recipient), "\n", 1).label("payee"),
        ).where(is_owed(), tuple_(col(Invoice.currency), open_amount()).in_(sorted(sums)))
    )
    named = [
        row.invoice_id
        for row in rows
        if (row.currency, row.open_minor, name_key(row.payee)) in keys
    ]
    open_ones: dict[tuple[str, int, str], list[Invoice]] = {}
    for one in await _lock(tx, col(Invoice.invoice_id) == one_of(named, Uuid())) if named else ():
        key = (one.currency, one.open_minor, name_key(payee_of(one)))
        open_ones.setdefault(key, []).append(one)
    found = {}
    for place, key in wanted.items():
        hits = open_ones.get(key, [])
        if len(hits) == 1:
            found[place] = Match(hits.pop(), MatchedBy.PAYER)
    return found


def _key_of(payment: Payment | Arrival) -> tuple[str, int, str]:
    return (payment.currency, payment.amount_minor, name_key(payment.payer_name))


def payee_of(invoice: Invoice) -> str:
    """Return the name to which an invoice is made out."""
    return invoice.recipient.partition("\n")[0]


def name_key(name: str) -> str:
    """Return a name in the form in which two spellings of it are equal."""
    return " ".join(sorted(re.findall(r"\w+", name.casefold())))


async def candidates(tx: ReadTx, payment: Payment) -> list[Candidate]:
    """Return open invoices that a held payment may be for, the likeliest first."""
    names = [*spellings(payment.reference), *written(payment.remittance)]
    rows = await tx.scalars(
        select(Invoice)
        .where(
            is_owed(),
            or_(
                col(Invoice.reference).in_(names),
                col(Invoice.number).in_(names),
                (col(Invoice.currency) == payment.currency)
                & (open_amount() == payment.amount_minor),
            ),
        )
        .order_by(col(Invoice.due_on), col(Invoice.invoice_id))
        .limit(_CANDIDATES * 10)
    )
    shown = [(_why(one, payment, names), one) for one in rows]
    shown.sort(key=lambda pair: -len(pair[0]))
    return [
        Candidate(
            invoice_id=one.invoice_id,
            number=one.number,
            reference=str(one.reference),
            recipient=one.recipient,
            open_minor=one.open_minor,
            currency=one.currency,
            due_on=one.due_on,
            why=why,
        )
        for why, one in shown[:_CANDIDATES]
    ]


def _why(invoice: Invoice, payment: Payment, names: Sequence[str]) -> list[str]:
    told = {
        "reference": invoice.reference in names or invoice.number in names,
        "amount": invoice.open_minor == payment.amount_minor
        and invoice.currency == payment.currency,
        "payer": bool(payment.payer_name)
        and name_key(payment.payer_name) == name_key(payee_of(invoice)),
    }
    return [name for name, is_so in told.items() if is_so]
