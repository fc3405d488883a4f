"""What a carrier is told, and what it answers; each carrier has its own words for both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson

_OK = range(200, 300)
_BUSY = frozenset({408, 425, 429})
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Party:
    """Who sends or gets a parcel."""

    name: str
    street: str
    postal_code: str
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class Consignment:
    """A parcel to be carried; `code` is its own number, by which the carrier can be asked."""

    code: str
    order_number: str
    service: str
    weight_grams: int
    sender: Party
    recipient: Party
    at: datetime

    @property
    def kilograms(self) -> float:
        """The weight as carriers want it; nobody weighs nothing."""
        return max(self.weight_grams, 10) / 1_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a carrier."""

    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class BookingRefused(Exception):
    """The carrier does not take the parcel; says why, in its words."""


class TryLater(Exception):
    """The carrier has not taken the parcel now, and may later."""


class Carrier(Protocol):
    """A carrier whose API books parcels."""

    @property
    def name(self) -> str:
        """By what people call it."""

    @property
    def is_set_up(self) -> bool:
        """Say whether there is an agreement to book with."""

    def request(self, consignment: Consignment) -> Request:
        """Return the request that books a parcel."""

    def booked(self, status: int, body: bytes) -> str:
        """Return by which number the carrier knows it.

        Raises:
            BookingRefused: the carrier does not take it.
            TryLater: it may take it later.
        """


def answer_of(status: int, body: bytes) -> object:
    """Return what a carrier has answered. Raises `BookingRefused` or `TryLater`."""
    if status in _BUSY:
        raise TryLater(f"it is busy ({status})")
    if status not in _OK:
        raise BookingRefused(f"{status}: {body[:_SHOWN].decode(errors='replace')}")
    try:
        answer: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BookingRefused("it answered something that is no JSON") from error
    return answer


def at_path(answer: object, *path: str | int) -> object:
    """Return what stands somewhere in an answer, or None: carriers add and leave out."""
    for step in path:
        if isinstance(step, str) and isinstance(answer, dict):
            answer = answer.get(step)
        elif isinstance(step, int) and isinstance(answer, list) and len(answer) > step:
            answer = answer[step]
        else:
            return None
    return answer


def number_at(answer: object, *path: str | int) -> str:
    """Return the number that stands somewhere in an answer. Raises `BookingRefused` when none does."""
    number = at_path(answer, *path)
    if not isinstance(number, str | int) or not str(number):
        raise BookingRefused("its answer names no number; look it up with the carrier")
    return str(number)
