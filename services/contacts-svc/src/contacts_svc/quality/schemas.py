"""Shapes of duplicates and merges at the API."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contacts_svc.quality.kinds import MergeState, PairState
from kantis_contracts.values import Channel
from kantis_kit.web.schemas import In, Out


class AlikeOut(Out):
    """One of two contacts, as far as it helps to decide."""

    id: UUID
    full_name: str
    preferred_name: str
    street: str
    postal_code: str
    city: str
    emails: list[str]
    phones: list[str]
    created_at: datetime


class DuplicateOut(Out):
    """Two contacts that may be the same person."""

    id: UUID
    score: int = Field(description="0 to 100")
    reasons: list[str] = Field(description="Such as same_name, same_phone, same_postal_code")
    state: PairState
    found_at: datetime
    decided_at: datetime | None
    contacts: list[AlikeOut]


class BlockOut(Out):
    """A key that so many people share that each is compared with the newest 50 of them only."""

    kind: str = Field(description="What the key is made of: name (and postal code), phone, mailbox")
    people: int
    is_more: bool = Field(description="Whether there are more than were counted")
    seen_at: datetime


class RegisterStateOut(Out):
    """A reservation register, and whether its last wash still counts."""

    key: str
    country: str
    channels: list[Channel]
    washed_on: date | None
    due_on: date | None
    is_recent: bool


class QualityReportOut(Out):
    """How good the data of a segment, or of everybody, is; scores in percent, on average of those who have one."""

    segment_id: UUID | None
    people: int
    scored: int
    score: int | None
    completeness: int | None
    validity: int | None
    reachability: int | None
    freshness: int | None
    low_scores: int = Field(description="People whose score is below 50")
    oldest_score_at: datetime | None
    missing: dict[str, int] = Field(
        description="How many have no preferred_name, email, phone or street"
    )
    likely_duplicates: int = Field(
        description="Pairs of which both are in it and nobody has decided"
    )
    people_with_duplicates: int
    not_yet_compared: int = Field(description="People who have changed and wait to be compared")
    registers: list[RegisterStateOut]


class MergeIn(In):
    """Two contacts that are one person."""

    known_id: UUID = Field(description="The contact that stays")
    merged_id: UUID = Field(description="The contact that becomes part of it")
    reason: Annotated[str, Field(max_length=500)] = ""


class MergeOut(Out):
    """A merge and what it moved."""

    id: UUID
    known_id: UUID
    merged_id: UUID
    reason: str
    state: MergeState
    moved: dict[str, int] = Field(description="Rows of each kind that follow the known contact")
    merged_at: datetime
    merged_by: str
    undone_at: datetime | None
    undone_by: str
