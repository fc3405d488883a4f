"""Shapes of declared fields at the API."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from contacts_svc.fields.rules import MAX_TEXT, FieldKind
from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Out

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Titles = Annotated[dict[Language, Title], Field(default_factory=dict)]


class ChoiceIn(In):
    """One of the values that a field of kind choice or choices offers."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    titles: Titles


class RulesIn(In):
    """What the values must keep to; which rules there are depends on the kind."""

    choices: list[ChoiceIn] | None = Field(default=None, min_length=1, max_length=500)
    min: int | float | str | None = Field(default=None, description="Number, or date as YYYY-MM-DD")
    max: int | float | str | None = None
    max_length: int | None = Field(default=None, ge=1, le=MAX_TEXT)
    decimals: int | None = Field(default=None, ge=0, le=6)
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None


class FieldBody(In):
    """What may change about a field."""

    titles: Titles
    description: str = Field(default="", max_length=1_000)
    rules: RulesIn = Field(default_factory=RulesIn)
    is_filtered: bool = Field(
        default=False, description="Whether segments may ask for it: its values are indexed then"
    )
    is_closed: bool = Field(default=False, description="Whether it takes no new values")


class FieldIn(FieldBody):
    """A new field. Key and kind never change."""

    key: Key
    kind: FieldKind


class FieldOut(Out):
    """A declared field."""

    key: str
    version: int
    kind: str
    titles: dict[str, str]
    description: str
    rules: dict[str, Any]
    is_filtered: bool
    is_closed: bool
    created_at: datetime
    updated_at: datetime


class SecretOut(Out):
    """A value that is shown to those who may see it, each time with an entry in the audit log."""

    key: str
    value: str
