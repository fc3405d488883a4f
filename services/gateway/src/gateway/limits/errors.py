"""Slow down."""

from kantis_kit.errors import TooMany


class TooFast(TooMany):
    """More requests came than the window allows."""

    slug = "too-many-requests"
