"""What the API shows of sign-ups."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kantis_kit.web.schemas import Out


class Standing(StrEnum):
    """How somebody stands to an event."""

    INVITED = "invited"
    SIGNED_UP = "signed_up"
    SIGNED_OFF = "signed_off"


class SignUpOut(Out):
    """Somebody who has signed up, or off again."""

    id: UUID
    person_id: UUID
    language: str
    """In which they have signed up."""
    signed_at: datetime
    cancelled_at: datetime | None
