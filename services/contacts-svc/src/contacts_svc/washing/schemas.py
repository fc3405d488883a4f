"""Shapes of reservation registers at the API."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from contacts_svc.permissions.kinds import RegisterKind
from kantis_contracts.values import Channel, Country
from kantis_kit.web.schemas import In, Out

Key = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z0-9-]+$")]
Needed = Literal["phone", "name", "given_name", "family_name", "street", "postal_code"]
Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class RegisterIn(In):
    """A reservation register of a country, and how its file is read."""

    name: str = Field(min_length=1, max_length=200, examples=["Reservasjonsregisteret"])
    country: Country
    channels: list[Literal[Channel.LETTER, Channel.PHONE]] = Field(
        min_length=1, max_length=2, description="What people are protected from"
    )
    matches: RegisterKind = Field(description="By what the file names people")
    interval_days: int = Field(
        ge=1,
        le=400,
        description="How old the last wash may be: 31 in Norway, a quarter in Sweden and Denmark",
    )
    mapping: dict[Needed, Column] = Field(
        description="What is needed, and the file's column: phone; or name (or given_name and family_name), street, postal_code"
    )

    @model_validator(mode="after")
    def name_every_column(self) -> Self:
        """Refuse a mapping that leaves out what people are matched by."""
        missing = sorted({"phone"} - self.mapping.keys())
        if self.matches is RegisterKind.ADDRESS:
            missing = sorted({"street", "postal_code"} - self.mapping.keys())
            if "name" not in self.mapping and not (
                {"given_name", "family_name"} <= self.mapping.keys()
            ):
                missing.append("name (or given_name and family_name)")
        if missing:
            message = f"mapping: say which column holds {', '.join(missing)}"
            raise ValueError(message)
        return self


class RegisterOut(Out):
    """A reservation register, and how its last wash stands."""

    id: UUID
    key: str
    name: str
    country: str
    channels: list[Channel]
    matches: RegisterKind
    interval_days: int
    mapping: dict[str, str]
    version: int
    washed_on: date | None = Field(description="The day of the newest file that was taken in")
    is_recent: bool = Field(
        description="False: letters or calls that need a wash are refused until the next file"
    )
    due_on: date | None = Field(description="The last day on which the wash counts")
    named: int = Field(description="How many the newest file names")


class WashOut(Out):
    """What became of a file of the register."""

    id: UUID
    as_of: date
    file_sha256: str
    rows: int
    named: int = Field(description="Different people or numbers that it names")
    refused: int = Field(description="Rows that name nobody: cells missing or no phone number")
    actor: str
    at: datetime
