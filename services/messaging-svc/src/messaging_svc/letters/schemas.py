"""What the API takes and shows of letters."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from kantis_contracts.values import Country, Language
from kantis_kit.web.schemas import In, Out
from messaging_svc.letters.states import BatchState


class BatchIn(In):
    """Which letters go into a batch; all that wait for the country when no campaign is named."""

    country: Country = Field(
        examples=["NO"], description="Where the letters go; a batch has one window"
    )
    campaign_id: UUID | None = None
    print_on: date | None = Field(
        default=None, description="The date on the letters; today when left out"
    )


class PreviewIn(In):
    """A letter as a person, or an imagined one, would get it."""

    template_id: UUID
    version: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The one that stands when left out"
    )
    person_id: UUID | None = None
    language: Language = Language.EN
    country: Country = "NO"
    preferred_name: str = Field(default="Kari", max_length=200)
    offer_name: str = Field(default="Lampe", max_length=200)
    offer_price_minor: int = Field(default=49_900, ge=0)
    currency: str = Field(default="NOK", pattern=r"^[A-Z]{3}$")
    format: Literal["pdf", "png"] = "pdf"


class HandOverIn(In):
    """To whom the batch was handed."""

    printing_house: str = Field(min_length=1, max_length=200, examples=["Trykkeriet AS"])


class WaitingOut(Out):
    """Letters that wait for a batch; an empty country: of people whose address has not arrived."""

    country: str
    letters: int


class WaitingList(Out):
    """Letters that wait for a batch, by country."""

    items: list[WaitingOut]


class BatchOut(Out):
    """A batch of letters."""

    id: UUID
    number: int
    country: str
    campaign_id: UUID | None
    print_on: date
    state: BatchState
    letters: int
    pages: int
    pdf_bytes: int
    problem: str = Field(description="Why it could not be printed; it is tried again")
    created_by: str
    created_at: datetime
    ready_at: datetime | None
    ended_at: datetime | None
    printing_house: str
    files_deleted_at: datetime | None


class PieceOut(Out):
    """A letter in a batch."""

    message_id: UUID
    batch_id: UUID
    position: int | None
    name: str
    street: str
    postal_code: str
    city: str
    country: str
    language: str
    pages: int
    return_code: str
