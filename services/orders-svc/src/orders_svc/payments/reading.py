"""What every payment file is read into, and how amounts and names of entries are made of it."""

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Protocol

from babel.numbers import get_currency_precision

MAX_MINOR = 100_000_000_000_000
REMITTANCE_SIGNS = 140
NAME_SIGNS = 140


class BadFile(ValueError):
    """The whole file is refused; the message says where it is wrong and how to mend it."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """Money that a file tells of."""

    external_id: str
    account: str
    reference: str
    remittance: str
    payer_name: str
    payer_account: str
    amount_minor: int
    currency: str
    paid_on: date
    is_reversal: bool


class Reader(Protocol):
    """Reads a file part by part, however it is cut; holds no more than one entry."""

    kind: str
    message_id: str
    skipped: int

    @property
    def offset(self) -> int:
        """How many bytes of the file need not be read again: up to behind the last entry that was returned."""
        ...

    def checkpoint(self) -> dict[str, Any]:
        """Return, as JSON, what a reader needs that goes on at `offset`: it is made by `at`."""
        ...

    def feed(self, part: bytes) -> list[FileEntry]:
        """Return the entries that end in this part. Raises `BadFile`."""
        ...

    def close(self) -> list[FileEntry]:
        """Return what is left, once all sums are checked. Raises `BadFile`."""
        ...


def entry_id(account: str, bank_name: str, *content: object) -> str:
    """Return under what name an entry is booked once, in whichever file it comes again.

    The bank's own name does not suffice: some banks number entries anew in each file. So what it tells is part of it.
    """
    told = "|".join((account, bank_name, *(str(one) for one in content)))
    return "file:" + hashlib.sha256(told.encode()).hexdigest()[:40]


def minor_units(words: str, currency: str, where: str) -> int:
    """Return a decimal amount in minor units. Raises `BadFile` for what is no amount of this currency."""
    try:
        value = Decimal(words)
    except InvalidOperation as error:
        message = f"{where}: {words[:40]!r} is not an amount; write it as 249.00"
        raise BadFile(message) from error
    if not value.is_finite() or value < 0:
        message = f"{where}: the amount {words[:40]} is negative; the direction stands in CdtDbtInd"
        raise BadFile(message)
    minor = value.scaleb(_places(currency))
    if minor != minor.to_integral_value() or minor > MAX_MINOR:
        message = f"{where}: {words[:40]} is not an amount in {currency}"
        raise BadFile(message)
    return int(minor)


def day(words: str, where: str) -> date:
    """Return a date, with or without the time behind it. Raises `BadFile`."""
    try:
        return date.fromisoformat(words[:10])
    except ValueError as error:
        message = f"{where}: {words[:40]!r} is not a date; write it as 2026-03-09"
        raise BadFile(message) from error


@lru_cache(maxsize=64)
def _places(currency: str) -> int:
    return int(get_currency_precision(currency))
