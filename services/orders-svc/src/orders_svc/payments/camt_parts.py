"""What an entry of camt.054 is made of, as its elements are told."""

from dataclasses import dataclass, field

from orders_svc.payments.reading import minor_units


@dataclass(slots=True)
class Part:
    """One transaction of an entry, as its elements are told."""

    refs: dict[str, str] = field(default_factory=dict)
    amount: tuple[str, str] | None = None
    sign: str = ""
    payer_name: str = ""
    payer_account: str = ""
    paid: list[list[str]] = field(default_factory=list)
    """Per structured remittance the reference and, where it is given, the amount."""
    text: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """One entry of the account."""

    ref: str = ""
    amount: tuple[str, str] = ("", "")
    sign: str = ""
    is_reversal: bool = False
    state: str = ""
    booked: str = ""
    valued: str = ""
    name: str = ""
    batch: dict[str, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)


def shares(part: Part, amount: int, currency: str, where: str) -> list[tuple[str, int]]:
    """Return the references that a transaction pays, each with its share of the amount."""
    named = [one for one in part.paid if one[0]]
    if len(named) > 1 and all(one[1] for one in named):
        found = [(one[0], minor_units(one[1], currency, where)) for one in named]
        if sum(minor for _, minor in found) == amount:
            return found
    # Several references without amounts: nobody but a person can tell what was meant.
    return [(named[0][0] if len(named) == 1 else "", amount)]
