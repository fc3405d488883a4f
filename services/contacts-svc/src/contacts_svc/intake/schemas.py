"""Shapes of forms and leads."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from kantis_contracts.values import Channel, Country, Language, Purpose
from kantis_kit.web.schemas import In, Out

FormKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-zA-Z0-9.-]{1,200}(:[0-9]{1,5})?$")]
Redirect = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\"'<>]{1,500}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]


class ConsentIn(In):
    """The words of the consent in one language; new words need a new version."""

    version: str = Field(min_length=1, max_length=40, examples=["2026-01"])
    text: Words


class FormIn(In):
    """A form as it shall be."""

    key: FormKey
    source: str = Field(
        min_length=1, max_length=200, description="What the leads' source is called"
    )
    purposes: list[Purpose] = Field(
        default=[Purpose.NEWSLETTER], min_length=1, max_length=len(Purpose)
    )
    channels: list[Channel] = Field(default=[Channel.EMAIL], min_length=1, max_length=len(Channel))
    titles: dict[Language, Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field(
        min_length=1
    )
    consent: dict[Language, ConsentIn] = Field(min_length=1)
    default_language: Language = Language.EN
    country: Country = "NO"
    double_opt_in: bool = True
    redirects: list[Redirect] = Field(
        default=[], max_length=50, description="Pages to which `next` may lead"
    )
    origins: list[Origin] = Field(
        default=[], max_length=50, description="Sites that may post to the form"
    )
    is_active: bool = True

    @model_validator(mode="after")
    def check_languages(self) -> Self:
        """Each language needs a title and a consent, the default language among them."""
        if set(self.titles) != set(self.consent):
            message = "titles and consent: give both in the same languages"
            raise ValueError(message)
        if self.default_language not in self.consent:
            message = f"default_language: there are no texts in {self.default_language.value}"
            raise ValueError(message)
        return self


class ConsentOut(Out):
    """The words of the consent in one language."""

    version: str
    text: str


class FormOut(Out):
    """A form."""

    id: UUID
    key: str
    version: int
    source: str
    purposes: list[str]
    channels: list[str]
    titles: dict[str, str]
    consent: dict[str, ConsentOut]
    default_language: str
    country: str
    double_opt_in: bool
    redirects: list[str]
    origins: list[str]
    is_active: bool
    caught_machines: int = 0
    created_at: datetime
    updated_at: datetime


class LeadIn(In):
    """What a visitor posts."""

    email: str = Field(default="", max_length=320)
    phone: str = Field(default="", max_length=40)
    preferred_name: str = Field(default="", max_length=200)
    given_name: str = Field(default="", max_length=200)
    family_name: str = Field(default="", max_length=200)
    full_name: str = Field(default="", max_length=200)
    street: str = Field(default="", max_length=200)
    postal_code: str = Field(default="", max_length=12)
    city: str = Field(default="", max_length=100)
    country: Country | None = None
    language: Language | None = None
    consent: bool = False
    consent_version: str = Field(default="", max_length=40)
    website: str = Field(
        default="", max_length=500, description="Leave empty: people do not see this field"
    )
    started: str = Field(
        default="", max_length=200, description="Written into the page of the form by us"
    )
    next: str = Field(
        default="", max_length=500, description="Where to go afterwards; must be listed in the form"
    )


class LeadTaken(Out):
    """The answer to every lead, whoever it is and whatever is known of them."""

    status: str = "received"
    message: str
