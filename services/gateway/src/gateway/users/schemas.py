"""Shapes of the users API."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from gateway.keys.roles import Role
from kantis_contracts.values import Language
from kantis_kit.web.schemas import In, Out


class UserRole(StrEnum):
    """What a person may be; the roles of sites and tills are for keys alone."""

    ADMINISTRATOR = Role.ADMINISTRATOR.value
    MARKETER = Role.MARKETER.value
    FULFILMENT = Role.FULFILMENT.value
    BOOKKEEPER = Role.BOOKKEEPER.value
    DEVELOPER = Role.DEVELOPER.value
    VIEWER = Role.VIEWER.value


Address = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
PersonName = Annotated[str, Field(min_length=1, max_length=200)]


class UserIn(In):
    """A user to add."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "kari@example.no", "name": "Kari", "role": "marketer"}]
        }
    )

    email: Address
    name: PersonName
    role: UserRole
    language: Language = Language.EN


class UserPatch(In):
    """What of a user changes; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "viewer"}]})

    name: PersonName | None = None
    role: UserRole | None = None
    language: Language | None = None
    is_disabled: bool | None = None


class UserOut(Out):
    """A user."""

    id: UUID
    email: str
    name: str
    role: str
    language: str
    has_password: bool
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


class LinkMade(Out):
    """A one-time link that sets a password: the only time that it is shown; null when the answer is repeated."""

    link: str | None
    expires_at: datetime


class UserMade(UserOut):
    """A new user, with the link by which they set their password."""

    link: str | None


class SessionOut(Out):
    """A session: where and when somebody is signed in."""

    id: UUID
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
