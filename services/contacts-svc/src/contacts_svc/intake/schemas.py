"""Shapes of forms and leads."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from kantis_contracts.values import Channel, Country, Language, Purpose
from kantis_kit.web.schemas import In, Out

FormKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[a-zA-Z0-9.-]{1,200}(:[0-9]{1,5})?$")]
Redirect = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\"'<>]{1,500}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=4_000)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Term = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]

MAIN_BOX = "consent"
"""The box that every form has; further ones have keys of their own."""


class ConsentIn(In):
    """The words of the consent in one language; new words need a new version."""

    version: str = Field(min_length=1, max_length=40, examples=["2026-01"])
    text: Words


class FieldKind(StrEnum):
    """How a question is answered."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"


class ChoiceIn(In):
    """One answer to choose. With a `term` it says something about the person, in the company's vocabulary."""

    value: Key
    labels: dict[Language, Label] = Field(min_length=1)
    term: Term | None = None


class FormFieldIn(In):
    """A question beside names and addresses."""

    key: Key
    kind: FieldKind = FieldKind.TEXT
    labels: dict[Language, Label] = Field(min_length=1)
    choices: list[ChoiceIn] = Field(default=[], max_length=50)
    is_required: bool = False

    @model_validator(mode="after")
    def check_choices(self) -> Self:
        """Choices belong to questions that are answered by choosing, each once."""
        chooses = self.kind in (FieldKind.CHOICE, FieldKind.CHOICES)
        if chooses != bool(self.choices):
            message = (
                f"{self.key}: give choices to a question of kind choice or choices, and to no other"
            )
            raise ValueError(message)
        _once("choices", [one.value for one in self.choices])
        return self


class TopicIn(In):
    """Something that people may ask to hear about; its box is never ticked beforehand."""

    key: Key
    labels: dict[Language, Label] = Field(min_length=1)


class BoxIn(In):
    """A consent box beside the main one, with words of its own; never ticked beforehand, never required."""

    key: Key
    purposes: list[Purpose] = Field(min_length=1, max_length=len(Purpose))
    channels: list[Channel] = Field(default=[Channel.EMAIL], min_length=1, max_length=len(Channel))
    consent: dict[Language, ConsentIn] = Field(min_length=1)


class GivenAfter(StrEnum):
    """When the link to a download is given."""

    LEAD = "lead"
    CONFIRMATION = "confirmation"


class DownloadIn(In):
    """A file that the form gives away, by a link that ends. Consent is not its price."""

    titles: dict[Language, Label] = Field(min_length=1)
    after: GivenAfter = GivenAfter.LEAD
    days: int = Field(default=7, ge=1, le=90, description="How long the link lives")


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
    fields: list[FormFieldIn] = Field(default=[], max_length=30, description="Further questions")
    topics: list[TopicIn] = Field(default=[], max_length=50)
    boxes: list[BoxIn] = Field(default=[], max_length=10, description="Further consent boxes")
    list_id: UUID | None = Field(default=None, description="The list that its people join")
    download: DownloadIn | None = None
    proof_of_work_bits: int = Field(
        default=0,
        ge=0,
        le=22,
        description="How hard a browser must work before a post is taken; 0: not at all, 16: half a second",
    )
    posts_per_hour: int | None = Field(default=None, ge=1, le=10_000_000)
    is_active: bool = True

    @model_validator(mode="after")
    def check_languages(self) -> Self:
        """Each language needs a title, a consent and a label of everything, the default language among them."""
        if set(self.titles) != set(self.consent):
            message = "titles and consent: give both in the same languages"
            raise ValueError(message)
        if self.default_language not in self.consent:
            message = f"default_language: there are no texts in {self.default_language.value}"
            raise ValueError(message)
        for what, words in self._words():
            if set(words) != set(self.titles):
                spoken = ", ".join(sorted(self.titles))
                message = f"{what}: give the words in the same languages as the titles ({spoken})"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def check_keys(self) -> Self:
        """Each question, topic and box has a key of its own."""
        _once("fields", [one.key for one in self.fields])
        _once("topics", [one.key for one in self.topics])
        _once("boxes", [MAIN_BOX, *(one.key for one in self.boxes)])
        return self

    def _words(self) -> list[tuple[str, dict[Language, Any]]]:
        words: list[tuple[str, dict[Language, Any]]] = []
        for one in self.fields:
            words.append((f"fields.{one.key}.labels", dict(one.labels)))
            words.extend((f"fields.{one.key}.{c.value}", dict(c.labels)) for c in one.choices)
        words.extend((f"topics.{topic.key}.labels", dict(topic.labels)) for topic in self.topics)
        words.extend((f"boxes.{box.key}.consent", dict(box.consent)) for box in self.boxes)
        if self.download is not None:
            words.append(("download.titles", dict(self.download.titles)))
        return words


def _once(what: str, keys: list[str]) -> None:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        message = f"{what}: {', '.join(twice)} is there already; choose another key"
        raise ValueError(message)


class ConsentOut(Out):
    """The words of the consent in one language."""

    version: str
    text: str


class FileOut(Out):
    """The file that a form gives away."""

    file_name: str
    content_type: str
    bytes: int
    made_at: datetime


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
    fields: list[dict[str, Any]] = []
    topics: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    list_id: UUID | None = None
    download: dict[str, Any] | None = None
    proof_of_work_bits: int = 0
    posts_per_hour: int | None = None
    is_active: bool
    caught_machines: int = 0
    created_at: datetime
    updated_at: datetime


class FormVersionOut(Out):
    """A form as it was in one version."""

    version: int
    body: dict[str, Any]
    actor: str
    at: datetime


class LeadOut(Out):
    """What was posted to a form, without the person's names and addresses: they stand at the contact."""

    id: UUID
    person_id: UUID
    is_consented: bool
    boxes: dict[str, str]
    topics: list[str]
    answers: dict[str, Any]
    language: str
    text_version: str
    times: int
    first_at: datetime
    last_at: datetime


class ClaimOut(Out):
    """A phone that a lead names for a contact; nobody has shown that it is theirs, and it is used for nothing."""

    phone: str
    source: str = Field(description="The form that brought it")
    lead_id: UUID
    claimed_at: datetime


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
    answers: dict[
        Annotated[str, StringConstraints(max_length=40)],
        bool
        | float
        | Annotated[str, StringConstraints(max_length=2_000)]
        | Annotated[list[Annotated[str, StringConstraints(max_length=40)]], Field(max_length=50)],
    ] = Field(
        default={}, max_length=50, description="Answers to the form's questions, by their keys"
    )
    topics: list[Annotated[str, StringConstraints(max_length=40)]] = Field(
        default=[], max_length=50
    )
    boxes: dict[Annotated[str, StringConstraints(max_length=40)], bool] = Field(
        default={}, max_length=20, description="Which of the further consent boxes were ticked"
    )
    box_versions: dict[
        Annotated[str, StringConstraints(max_length=40)],
        Annotated[str, StringConstraints(max_length=40)],
    ] = Field(default={}, max_length=20, description="Which versions of their words were seen")
    visitor: UUID | None = Field(default=None, description="The visitor, as our script knows them")
    website: str = Field(
        default="", max_length=500, description="Leave empty: people do not see this field"
    )
    started: str = Field(
        default="", max_length=200, description="Written into the page of the form by us"
    )
    proof: str = Field(
        default="", max_length=40, description="What the browser has found by working"
    )
    next: str = Field(
        default="", max_length=500, description="Where to go afterwards; must be listed in the form"
    )


class LeadTaken(Out):
    """The answer to every lead, whoever it is and whatever is known of them."""

    status: str = "received"
    message: str
    download: str | None = None
    """Where the file is, when the form gives one away."""


class ChallengeOut(Out):
    """What a browser must answer before it may post: `started`, and a proof for it of so many bits."""

    started: str
    bits: int
