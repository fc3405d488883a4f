"""What the API takes and shows of templates."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from kantis_contracts.values import Channel, Language, MessageClass
from kantis_kit.web.schemas import In, Out
from messaging_svc.templates.blocks import MAX_ITEMS

Sku = Annotated[str, Field(min_length=1, max_length=60)]


class LanguageIn(In):
    """A message in one language."""

    subject: str = Field(max_length=1_000, examples=["{{ greeting() }}, a lamp for you"])
    html: str = Field(default="", description="The mail: HTML or MJML with template tags")
    text: str | None = Field(
        default=None, description="Plain text; made from the HTML when left out"
    )
    preheader: str = Field(
        default="", max_length=1_000, description="What mail programs show beside the subject"
    )
    letter: str = Field(
        default="",
        description="The letter on paper: paragraphs, `# headings`, `- lists` and `**bold words**`",
    )
    script: str = Field(
        default="", max_length=20_000, description="What somebody says who calls, as plain text"
    )


class VersionIn(In):
    """The texts of a version."""

    languages: dict[Language, LanguageIn] = Field(min_length=1)
    message_class: MessageClass = Field(
        default=MessageClass.MARKETING,
        description="What the message is for; only one that advertises may sell, and it offers a way out",
    )
    products: list[Sku] = Field(
        default=[],
        max_length=MAX_ITEMS,
        description="What `products` holds where a message brings none of its own: products of the catalogue by their "
        "SKU, with name and price of the moment when it is planned, without those that cannot be bought then",
    )


class SaveIn(VersionIn):
    """A new version, which stands from then on; a draft waits until it is activated."""

    is_draft: bool = False


class TemplateIn(VersionIn):
    """A new template with its first version."""

    name: str = Field(min_length=1, max_length=200)


class TemplateOut(Out):
    """A template; `version` is the newest."""

    id: UUID
    name: str
    version: int
    languages: list[Language]
    created_at: datetime
    changed_at: datetime
    archived_at: datetime | None


class VersionOut(Out):
    """A version, which never changes."""

    id: UUID
    template_id: UUID
    number: int
    languages: dict[Language, LanguageIn]
    message_class: MessageClass
    products: list[Sku]
    created_by: str
    created_at: datetime


class PreviewIn(In):
    """Whom the preview shows as its reader; with `languages` it shows what is not saved yet.

    With `person_id`, language and name are the person's own.
    """

    part: Literal["html", "text"] = "html"
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    person_id: UUID | None = None
    language: Language = Language.EN
    preferred_name: str = Field(default="Kari", max_length=200)
    offer_name: str = Field(default="Lampe", max_length=200)
    offer_price_minor: int = Field(default=49_900, ge=0)
    currency: str = Field(default="NOK", pattern=r"^[A-Z]{3}$")
    languages: dict[Language, LanguageIn] | None = None
    products: list[Sku] = Field(default=[], max_length=MAX_ITEMS)


class Severity(StrEnum):
    """What a finding asks for."""

    ERROR = "error"
    WARNING = "warning"


class FindingOut(Out):
    """One thing that was found in a template, and how to mend it."""

    code: str
    severity: Severity
    language: Language | None
    place: str
    message: str
    mend: str


class FindingList(Out):
    """What was found; without errors the version can stand."""

    is_ready: bool
    findings: list[FindingOut]


class CheckIn(In):
    """What a launch will ask of a template."""

    channel: Channel = Channel.EMAIL
    version: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The one that stands when left out"
    )
    languages: list[Language] = Field(
        default=[],
        max_length=len(Language),
        description="Languages of the audience; those of the people we know when left out",
    )
    is_marketing: bool = True
    has_offer: bool = True
    has_products: bool = True


class CheckOut(FindingList):
    """Whether a launch can go out with a template."""

    template_id: UUID
    version_id: UUID
    number: int
