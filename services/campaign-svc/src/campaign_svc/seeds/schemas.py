"""What the API takes and shows of the seed list."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, StringConstraints

from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Out

Email = Annotated[
    str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254, to_lower=True)
]


class SeedIn(In):
    """An address of our own to show campaigns to."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "marked@example.com", "language": "nb"}]}
    )

    email: Email
    preferred_name: Annotated[str, StringConstraints(max_length=100)] = ""
    language: Language = Language.EN


class SeedOut(Out):
    """An address of the seed list."""

    id: UUID
    email: str
    preferred_name: str
    language: Language
    added_by: str
    added_at: datetime
