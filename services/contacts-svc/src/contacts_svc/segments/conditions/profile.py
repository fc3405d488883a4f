"""Clauses about the person: where they live, how they came, where they stand."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contacts_svc.segments.conditions.base import MAX_VALUES, Clause, Days, Word, span
from kantis_contracts.contacts import Lifecycle
from kantis_contracts.values import Country, Language
from kantis_kit.web.schemas import Instant


class CountryIs(Clause):
    """The person's country is one of these."""

    op: Literal["country"]
    is_in: list[Country] = Field(min_length=1, max_length=MAX_VALUES)


class LanguageIs(Clause):
    """The person's language is one of these."""

    op: Literal["language"]
    is_in: list[Language] = Field(min_length=1, max_length=len(Language))


class LifecycleIs(Clause):
    """The person stands here with the company."""

    op: Literal["lifecycle"]
    is_in: list[Lifecycle] = Field(min_length=1, max_length=len(Lifecycle))


class CityIs(Clause):
    """The person lives in one of these places; capital and small letters are the same."""

    op: Literal["city"]
    is_in: list[Word] = Field(min_length=1, max_length=MAX_VALUES)


class PostalCodeStarts(Clause):
    """The postal code starts with one of these."""

    op: Literal["postal_code"]
    starts_with: list[Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z -]{1,12}$")]] = Field(
        min_length=1, max_length=MAX_VALUES
    )


Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{3,5}$")]


class PostalCodeBetween(Clause):
    """The postal code lies in a range, both ends included; codes of another length do not."""

    op: Literal["postal_range"]
    first: Digits
    last: Digits

    @model_validator(mode="after")
    def check_range(self) -> Self:
        """Both ends are codes of one country, in order."""
        if len(self.first) != len(self.last) or self.first > self.last:
            message = (
                "postal_range: first and last have the same number of digits, first not above last"
            )
            raise ValueError(message)
        return self


class SourceIs(Clause):
    """The person came from one of these sources."""

    op: Literal["source"]
    is_in: list[Word] = Field(min_length=1, max_length=MAX_VALUES)


class Created(Clause):
    """The contact was made in a span of time: from (included) until (excluded), or within days up to now."""

    op: Literal["created"]
    since: Instant | None = None
    before: Instant | None = None
    within_days: Days | None = None

    @model_validator(mode="after")
    def check_span(self) -> Self:
        """At least one bound."""
        if self.since is None and self.before is None and self.within_days is None:
            message = "created: give since, before or within_days"
            raise ValueError(message)
        return self


WORDS: dict[type, Callable[[Any], str]] = {
    PostalCodeStarts: lambda node: "postal code starts with " + " or ".join(node.starts_with),
    PostalCodeBetween: lambda node: f"postal code from {node.first} to {node.last}",
    Created: lambda node: "created " + span(node.since, node.before, node.within_days),
}
