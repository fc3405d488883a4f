"""Bases of what comes in and what goes out."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, model_validator


def _is_storable(moment: datetime) -> datetime:
    try:
        moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("In UTC, this moment lies outside the years 1 to 9999") from error
    return moment


Instant = Annotated[AwareDatetime, AfterValidator(_is_storable)]
"""A moment that comes in, with its offset; one that can be stored."""


def _find_nul(value: Any, path: str = "") -> str | None:
    if isinstance(value, str):
        return path or "body" if "\x00" in value else None
    if isinstance(value, dict):
        for key, inner in value.items():
            found = _find_nul(key, path) or _find_nul(inner, f"{path}.{key}".strip("."))
            if found:
                return found
    if isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            found = _find_nul(inner, f"{path}[{index}]")
            if found:
                return found
    return None


class In(BaseModel):
    """A request body: unknown fields are refused, text is stripped, NUL is refused in every string."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def refuse_nul(cls, value: Any) -> Any:
        """PostgreSQL cannot store a NUL character: say so here, not as a failure later."""
        where = _find_nul(value)
        if where is not None:
            message = f"{where} holds a NUL character, which cannot be stored"
            raise ValueError(message)
        return value


class Out(BaseModel):
    """A response body, built from rows by attribute."""

    model_config = ConfigDict(from_attributes=True)
