"""Shapes of permissions at the API."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from contacts_svc.permissions.decide import Reason, Verdict, Wash
from contacts_svc.permissions.kinds import Scope
from contacts_svc.permissions.rules_table import Need
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import (
    Channel,
    Language,
    MessageClass,
    Purpose,
    RecipientKind,
    Relation,
)
from kantis_kit.web.schemas import In, Instant, Out

TopicKey = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z0-9_-]+$")]


class PermissionIn(In):
    """A yes or no that a person gave outside our pages, keyed by hand."""

    channel: Channel
    purpose: Purpose
    state: Literal[PermissionState.GRANTED, PermissionState.WITHDRAWN]
    source: str = Field(
        min_length=1,
        max_length=200,
        description="Where it was given: phone call, fair, paper form …",
    )
    text_shown: str = Field(default="", max_length=4_000, description="What the person said yes to")
    text_version: str = Field(default="", max_length=40)
    legal_basis: Literal["consent", "existing_customer", "membership"] = Field(
        default="consent",
        description="`membership` is refused: club terms are a record of membership, never a consent",
    )
    occurred_at: Instant | None = Field(
        default=None, description="When it was given; now when left out"
    )
    note: str = Field(default="", max_length=1_000)


class PermissionOut(Out):
    """What a person allows now."""

    channel: Channel
    purpose: Purpose
    state: PermissionState
    version: int
    legal_basis: str
    source: str
    occurred_at: datetime
    ledger_id: UUID


class ProofOut(Out):
    """One entry of the ledger, with everything that proves it."""

    id: UUID
    channel: Channel
    purpose: Purpose
    state: PermissionState
    version: int
    text_shown: str
    text_version: str
    source: str
    legal_basis: str
    evidence: dict[str, Any]
    actor: str
    occurred_at: datetime
    recorded_at: datetime


class LedgerOut(ProofOut):
    """An entry of the whole ledger, with whom it is about."""

    person_id: UUID


class RuleOut(Out):
    """A row of the table of rules."""

    id: str
    countries: set[str] = Field(description="`*` is every country without rows of its own")
    recipients: set[RecipientKind]
    channels: set[Channel]
    classes: set[MessageClass]
    relations: set[Relation]
    need: Need
    source: str
    valid_from: date
    valid_to: date | None = Field(description="The first day on which it no longer holds")


class FactsOut(Out):
    """The facts that a decision was made from."""

    country: str
    recipient: RecipientKind
    channel: Channel
    message_class: MessageClass
    purpose: Purpose | None
    relation: Relation
    state: PermissionState | None
    legal_basis: str
    is_spared: bool
    suppressed_by: tuple[str, ...]
    paused_until: datetime | None
    topic_refused: bool
    wash: Wash


class DecisionOut(Out):
    """Whether a message may go out, the rule that decided, and the facts it decided from."""

    verdict: Verdict
    rule_id: str
    need: Need | None
    source: str = Field(description="Where the rule comes from")
    reason: Reason
    words: str
    at: datetime
    facts: FactsOut
    ledger_ids: tuple[UUID, ...] = Field(description="Entries of the ledger behind the state")


class SuppressionIn(In):
    """A scope in which nothing that advertises may go out."""

    scope: Scope
    scope_id: str = Field(
        default="",
        max_length=60,
        description="The list's id, the topic's key or the channel; empty for everything",
    )
    reason: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def name_what_is_meant(self) -> Self:
        """Refuse a scope that does not say which list, topic or channel it means."""
        wanted = {
            Scope.EVERYTHING: self.scope_id == "",
            Scope.CHANNEL: self.scope_id in set(Channel),
            Scope.TOPIC: self.scope_id != "",
            Scope.LIST: _is_id(self.scope_id),
        }
        if not wanted[self.scope]:
            message = f"scope_id: a scope of {self.scope} needs {_NEEDED[self.scope]}"
            raise ValueError(message)
        if self.scope is Scope.LIST:
            self.scope_id = str(UUID(self.scope_id))
        return self


_NEEDED = {
    Scope.EVERYTHING: "none; leave it out",
    Scope.CHANNEL: f"one of {', '.join(Channel)}",
    Scope.TOPIC: "the key of a topic",
    Scope.LIST: "the id of a list",
}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


class AddressAsked(In):
    """An e-mail address or a phone number, one of them."""

    email: str = Field(default="", max_length=320)
    phone: str = Field(default="", max_length=40)

    @model_validator(mode="after")
    def name_one(self) -> Self:
        """Refuse both and neither."""
        if bool(self.email) == bool(self.phone):
            message = "give an email or a phone, one of them"
            raise ValueError(message)
        return self


class AddressSuppressionIn(SuppressionIn, AddressAsked):
    """An address that may belong to nobody we know, and a scope."""


class SuppressionOut(Out):
    """A suppression; the address itself is not kept, only its keyed hash."""

    id: UUID
    kind: str
    scope: Scope
    scope_id: str
    reason: str
    actor: str
    at: datetime


class TopicIn(In):
    """A topic in the company's words."""

    purpose: Purpose
    names: dict[Language, Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        min_length=1, description="Its name per language; pages fall back to the first one"
    )
    position: int = Field(default=0, ge=0, le=10_000)
    is_open: bool = Field(default=True, description="Whether it is still offered")


class TopicOut(Out):
    """A topic."""

    key: str
    purpose: Purpose
    names: dict[str, str]
    position: int
    is_open: bool
    version: int


class WishesIn(In):
    """How a person wants to be written to; what is left out is as the company likes."""

    channels: list[Channel] = Field(
        default=[], max_length=len(Channel), description="The one they like best first"
    )
    topics: dict[TopicKey, bool] = Field(default={}, max_length=100)
    hour_from: int | None = Field(default=None, ge=0, le=23)
    hour_to: int | None = Field(default=None, ge=1, le=24)
    days: list[Annotated[int, Field(ge=1, le=7)]] = Field(
        default=[], max_length=7, description="ISO weekdays, Monday is 1; empty is any"
    )
    per_month: int | None = Field(default=None, ge=1, le=31)
    paused_until: Instant | None = None

    @model_validator(mode="after")
    def make_sense(self) -> Self:
        """Refuse hours that end before they begin, and channels named twice."""
        if (self.hour_from is None) != (self.hour_to is None):
            message = "hour_from and hour_to: give both or none"
            raise ValueError(message)
        if (
            self.hour_from is not None
            and self.hour_to is not None
            and self.hour_from >= self.hour_to
        ):
            message = "hour_to: must be later than hour_from"
            raise ValueError(message)
        if len(set(self.channels)) != len(self.channels):
            message = "channels: one is named twice"
            raise ValueError(message)
        self.days = sorted(set(self.days))
        return self


class WishesOut(Out):
    """How a person wants to be written to."""

    channels: list[Channel] = []
    topics: dict[str, bool] = {}
    hour_from: int | None = None
    hour_to: int | None = None
    days: list[int] = []
    per_month: int | None = None
    paused_until: datetime | None = None
    version: int = 0
