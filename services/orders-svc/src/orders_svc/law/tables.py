"""The law of unpaid invoices as tables: the order of steps, fees by due date, interest by half-year."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any


class Debtor(StrEnum):
    """Who owes; the law protects the one more than the other."""

    CONSUMER = "consumer"
    BUSINESS = "business"


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of a ladder, and when and for how much it is lawful."""

    step: str
    days: int
    wait: int
    fee: str = ""
    fee_days: int = 0
    pay_days: int = 0


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps that lead from a due date to a collection agency, in a country, for a kind of debtor."""

    country: str
    debtor: Debtor
    valid_from: date
    rungs: tuple[Rung, ...]
    max_fees: int
    allocation: tuple[str, ...]
    compensation: str = ""
    agreed: frozenset[str] = frozenset()
    """Fees that are lawful only when the terms of sale named them."""

    def rank_of(self, kind: str) -> int:
        """Return when a claim is paid: before the invoice below zero, after it from zero on."""
        named = "interest" if kind == "interest" else "fee"
        return self.allocation.index(named) - self.allocation.index("principal")


@dataclass(frozen=True, slots=True)
class Fee:
    """An amount that may be claimed for an invoice of a due date."""

    minor: int
    currency: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class Interest:
    """A rate of late interest, in per cent a year, and the days on which it runs."""

    first: date
    last: date
    pct: Decimal


@cache
def _law() -> dict[str, Any]:
    return tomllib.loads((files("orders_svc.law") / "law.toml").read_text(encoding="utf-8"))


@cache
def ladder_of(country: str, debtor: Debtor, due_on: date) -> Ladder | None:
    """Return the ladder for an invoice of this due date, or None for a country whose law is not kept here."""
    rows = [
        one
        for one in _law()["ladder"]
        if (one["country"], one["debtor"]) == (country, debtor.value)
        and one["valid_for_due_date_from"] <= due_on
    ]
    if not rows:
        return None
    row = max(rows, key=lambda one: one["valid_for_due_date_from"])
    return Ladder(
        country,
        debtor,
        row["valid_for_due_date_from"],
        tuple(Rung(**one) for one in row["steps"]),
        row["max_fees"],
        tuple(row["allocation"]),
        row.get("compensation", ""),
        frozenset(row.get("fee_must_be_agreed", ())),
    )


@cache
def fee_of(country: str, name: str, due_on: date, *, unverified: bool = False) -> Fee | None:
    """Return a fee for an invoice of this due date; rows that nobody has verified only when they are asked for."""
    for table in _law()["fee"]:
        if (table["country"], table["name"]) == (country, name):
            rows = [
                one
                for one in table["rows"]
                if one["valid_for_due_date_from"] <= due_on
                and (unverified or one.get("verified", True))
            ]
            if rows:
                row = max(rows, key=lambda one: one["valid_for_due_date_from"])
                return Fee(row["minor"], table["currency"], row["valid_for_due_date_from"])
    return None


@cache
def interest_of(country: str, debtor: Debtor) -> tuple[Interest, ...]:
    """Return the rates of late interest that are kept with the program."""
    return tuple(
        Interest(row["from"], row["to"], Decimal(row["pct"]))
        for table in _law()["interest"]
        if table["country"] == country and table["debtor"] in ("both", debtor.value)
        for row in table["rows"]
    )


def half_year(day: date) -> tuple[date, date]:
    """Return the first and the last day of a half-year."""
    if day.month <= 6:  # noqa: PLR2004 - June
        return date(day.year, 1, 1), date(day.year, 6, 30)
    return date(day.year, 7, 1), date(day.year, 12, 31)


def interest_minor(
    balances: Sequence[tuple[date, int]], until: date, rates: Sequence[Interest]
) -> int:
    """Return the interest that a balance bears until a day, which is the last one that counts.

    Args:
        balances: from which day on how much is owed, in the order of the days; the first day is the first that bears.
        until: the last day that bears interest.
        rates: the rates; a day without one bears nothing.

    Returns:
        Minor units, rounded down: nobody is asked for more than the law gives.
    """
    total = Decimal(0)
    for index, (first, owed) in enumerate(balances):
        last = until
        if index + 1 < len(balances):
            last = min(until, balances[index + 1][0] - timedelta(days=1))
        for rate in rates:
            begin, end = max(first, rate.first), min(last, rate.last)
            if begin <= end:
                total += owed * rate.pct * ((end - begin).days + 1)
    return int(total / 36_500)
