"""Shapes of the keys API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from gateway.keys.roles import Role
from kantis_kit.web.schemas import In, Instant, Out


class KeyIn(In):
    """A key to make."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"role": "viewer", "name": "Report on the wall"}]}
    )

    role: Role
    name: Annotated[str, Field(min_length=1, max_length=200)]
    expires_at: Instant | None = None


class KeyOut(Out):
    """A key, without the key itself."""

    id: UUID
    prefix: str
    role: str
    name: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeyMade(KeyOut):
    """A new key: the only time that it is shown; null when the answer is repeated."""

    key: str | None


class RoleOut(Out):
    """A role and what it may do."""

    role: Role
    scopes: list[str]
