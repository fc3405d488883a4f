"""Shapes of permissions at the API."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from contacts_svc.permissions.decide import Reason, Verdict, Wash
from contacts_svc.permissions.rules_table import Need
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, MessageClass, Purpose, RecipientKind, Relation
from kantis_kit.web.schemas import In, Out


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
    legal_basis: Literal["consent", "existing_customer"] = "consent"
    occurred_at: AwareDatetime | None = Field(
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
