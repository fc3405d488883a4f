"""By what people are recognised: the few marks of a person's card that a till or a fraud check looks at."""

from uuid import UUID

from sqlmodel import Field

from campaign_svc.base import Base


class PersonMark(Base, table=True):
    """Marks of a person as contacts-svc last told them; `version` decides which card is newer."""

    __tablename__ = "person_mark"

    person_id: UUID = Field(primary_key=True)
    version: int
    full_name: str = ""
    name_key: str = ""
    phone: str = ""
    """Digits alone, with the country's."""
    mailbox: str = ""
    """The mailbox behind the address: two spellings of one are the same."""
    household: str = ""
    """Street and postal code, spelt in one way."""
    language: str = "en"
