"""What the API takes and shows of relays and of groups of domains."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints, model_validator

from kantis_kit.web.schemas import In, Out

Tls = Literal["none", "starttls", "implicit"]
Host = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:-]+$")]
Pattern = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253, to_lower=True, pattern=r"^[A-Za-z0-9.*-]+$"),
]
GroupName = Annotated[
    str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9-]*$")
]
Served = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253, to_lower=True, pattern=r"^[A-Za-z0-9.*:-]+$"),
]
MAX_PATTERNS = 500


class RelayIn(In):
    """A mail server that takes our mails."""

    name: str = Field(min_length=1, max_length=80)
    host: Host
    port: int = Field(default=587, ge=1, le=65_535)
    tls: Tls = Field(
        default="starttls",
        description="`starttls` and `implicit` check the certificate; a server that does not offer TLS gets nothing",
    )
    user: str = Field(default="", max_length=200)
    password: SecretStr | None = Field(
        default=None,
        max_length=500,
        description="Kept sealed and never shown; left out at a change: stays as it is",
    )
    connections: int = Field(default=8, ge=1, le=100)
    domains: list[Served] = Field(
        default=[],
        max_length=MAX_PATTERNS,
        examples=[["gmail.com", "*.gmail.com", "group:microsoft"]],
        description="For which recipients: domains, patterns with *, or groups of domains; empty: for all",
    )
    priority: int = Field(default=50, ge=0, le=1_000, description="The lower one is asked first")
    is_active: bool = True

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        """Refuse a password on an open line to another machine, and one without a user."""
        if self.password is not None and self.password.get_secret_value() and not self.user:
            message = "password: goes with a user"
            raise ValueError(message)
        if self.user and self.tls == "none" and not self.host.startswith(("127.", "localhost")):
            message = "tls: a user and a password leave this machine behind TLS only; choose starttls or implicit"
            raise ValueError(message)
        return self


class RelayReport(Out):
    """How one sender sees a relay."""

    sender: UUID
    state: Literal["idle", "up", "down"]
    since: datetime
    last_answer: str
    connections: int
    waiting: int = Field(description="Messages that are claimed for it")
    told_at: datetime


class RelayOut(Out):
    """A relay and how it fares. The one of the settings has no id and serves while no other is active."""

    id: UUID | None
    name: str
    host: str
    port: int
    tls: Tls
    user: str
    has_password: bool
    connections: int
    domains: list[str]
    priority: int
    is_active: bool
    is_used: bool
    changed_at: datetime | None
    state: Literal["idle", "up", "down"]
    down_since: datetime | None
    last_answer: str
    senders: list[RelayReport]


class GroupIn(In):
    """Domains that are limited alike, or together."""

    patterns: list[Pattern] = Field(
        min_length=1, max_length=MAX_PATTERNS, examples=[["hotmail.*", "outlook.*", "live.*"]]
    )
    is_together: bool = Field(
        default=True,
        description="Whether the limits hold for all its domains together; else for each by itself",
    )
    messages_per_minute: int | None = Field(default=None, ge=1, le=60_000)
    connections: int | None = Field(
        default=None, ge=1, le=1_000, description="The most messages that are on their way at once"
    )


class GroupOut(Out):
    """A group of domains."""

    name: str
    patterns: list[str]
    is_together: bool
    messages_per_minute: int | None
    connections: int | None
    changed_at: datetime


class SlowOut(Out):
    """A domain, or a group of domains, that puts mails off: it is left alone for a while."""

    lane: str
    since: datetime
    closed_until: datetime
    closings: int
    last_answer: str


class DomainsOut(Out):
    """The groups, what is left alone, and how many messages wait for their domain or a relay."""

    groups: list[GroupOut]
    slow: list[SlowOut]
    waiting: int
