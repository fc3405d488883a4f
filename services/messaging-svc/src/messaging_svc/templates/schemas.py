"""What the API takes and shows of templates."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Out


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


class VersionIn(In):
    """The texts of a version."""

    languages: dict[Language, LanguageIn] = Field(min_length=1)


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
    created_by: str
    created_at: datetime


class PreviewIn(In):
    """Whom the preview imagines as its reader; with `languages` it shows what is not saved yet."""

    language: Language = Language.EN
    preferred_name: str = Field(default="Kari", max_length=200)
    offer_name: str = Field(default="Lampe", max_length=200)
    offer_price_minor: int = Field(default=49_900, ge=0)
    currency: str = Field(default="NOK", pattern=r"^[A-Z]{3}$")
    languages: dict[Language, LanguageIn] | None = None
