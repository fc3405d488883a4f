"""Shapes of value and lifecycle at the API."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from contacts_svc.value.rules import Rules
from kantis_contracts.contacts import Lifecycle
from kantis_kit.web.schemas import In, Instant, Out


class BandsOut(Rules):
    """The bands that hold now."""

    version: int
    updated_at: datetime | None
    waiting: int
    """How many people are still valued by older bands."""


class ValueOut(Out):
    """What a contact is worth to the company; without orders there are no points."""

    person_id: UUID
    orders: int = 0
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    currency: str | None = None
    spent_minor: int = 0
    recency: int | None = None
    frequency: int | None = None
    monetary: int | None = None
    rfm_class: str | None = None
    tier: str | None = None
    rules_version: int | None = None
    next_at: datetime | None = Field(
        default=None, description="When time alone changes something of it next"
    )
    updated_at: datetime | None = None
    lifecycle: str
    lifecycle_pinned_until: datetime | None = None


class ClassOut(Out):
    """How many people are in a class and tier, and what they have ordered in a currency."""

    rfm_class: str
    tier: str
    currency: str
    people: int
    orders: int
    spent_minor: int


class LifecycleIn(In):
    """A lifecycle set by hand; no rule touches it before `until`."""

    lifecycle: Lifecycle
    until: Instant
    reason: str = Field(default="", max_length=200)


class StepOut(Out):
    """A step of the lifecycle, and why it was taken."""

    before: str
    after: str
    reason: str
    actor: str
    at: datetime


class LifecycleOut(Out):
    """Where a contact stands, whether a hand or a rule says so, and how they came there."""

    lifecycle: str
    pinned_until: datetime | None
    pinned_by: str | None
    steps: list[StepOut]
