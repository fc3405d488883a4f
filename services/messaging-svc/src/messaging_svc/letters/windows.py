"""Where the window of an envelope stands: data with a date from which it holds, by country."""

from datetime import date
from functools import cache
from importlib.resources import files

import orjson
from pydantic import BaseModel

COUNTRIES = ("NO", "SE", "DK", "FI", "IS")
"""Where letters go to."""


class Window(BaseModel):
    """The window of the envelopes that a country's letters go in, on the sheet behind it, from its upper left corner."""

    country: str
    valid_from: date
    envelope: str
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    inset_mm: float
    """The sheet moves in its envelope by so much; nothing of the address stands nearer to the window's edge."""
    source: str


@cache
def _windows() -> tuple[Window, ...]:
    text = (files("messaging_svc.letters") / "windows.json").read_bytes()
    return tuple(Window.model_validate(one) for one in orjson.loads(text))


def window_for(country: str, day: date) -> Window | None:
    """Return the window that holds in a country on a day; None where we know of none."""
    valid = [one for one in _windows() if one.country == country and one.valid_from <= day]
    return max(valid, key=lambda one: one.valid_from, default=None)
