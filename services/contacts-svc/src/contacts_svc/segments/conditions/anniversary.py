"""A clause about days that come back every year."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contacts_svc.segments.conditions.base import Clause, names

Years = Annotated[int, Field(ge=1, le=150)]


class Anniversary(Clause):
    """Today, in UTC, is so many years since a day of the person's: the first order, when they were made, a date field.

    Who was born on the 29th of February has their day on the 28th in other years.
    """

    op: Literal["anniversary"]
    of: Literal["first_order", "created", "field"]
    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]*$", max_length=40)] = ""
    """Of the field, such as a date of birth."""
    years: list[Years] = Field(default_factory=list, max_length=150)
    """Empty is any number of them."""

    @model_validator(mode="after")
    def name_a_field(self) -> Self:
        """A field has a key, the other days have none."""
        if (self.of == "field") != bool(self.key):
            message = "anniversary: key names the field when of is field, and stays away otherwise"
            raise ValueError(message)
        return self


def _anniversary(node: Anniversary) -> str:
    what = {"first_order": "first order", "created": "becoming known"}.get(node.of, node.key)
    return f"{names(node.years) or 'some'} years since {what} today"


WORDS: dict[type, Callable[[Any], str]] = {Anniversary: _anniversary}
