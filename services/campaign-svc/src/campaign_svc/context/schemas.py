"""What is told of people's situation, and of organisations, and what came of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from campaign_svc.rules.schemas import Decision, Key
from kantis_kit.web.schemas import In, Instant, Out

ExternalId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="The source's own id: what it tells again has its effect once",
    ),
]
Fact = Annotated[str, StringConstraints(max_length=200)]


class ContextIn(In):
    """Something about a person's situation now, such as where they are."""

    event_id: ExternalId
    person_id: UUID
    kind: Key = "place"
    place: Key
    at: Instant
    facts: dict[Key, Fact] = Field(default={}, max_length=20)


class ContextsIn(In):
    """Up to a hundred events of one source."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "beacons",
                    "items": [
                        {
                            "event_id": "b-1",
                            "person_id": "00000000-0000-7000-8000-000000000001",
                            "place": "arn",
                            "at": "2026-03-02T09:00:00Z",
                        }
                    ],
                }
            ]
        }
    )

    source: Key
    items: list[ContextIn] = Field(min_length=1, max_length=100)


class CompanyEventIn(In):
    """Something about an organisation, from a feed."""

    event_id: ExternalId
    organisation_id: UUID
    kind: Key
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    at: Instant


class CompanyEventsIn(In):
    """Up to a hundred events of one feed."""

    source: Key
    items: list[CompanyEventIn] = Field(min_length=1, max_length=100)


class CameOfIt(Out):
    """What one rule decided about one person."""

    event_id: str
    rule_id: UUID
    person_id: UUID
    decision: Decision
    sentence: str


class TakenOut(Out):
    """What came of events at once. What no rule waits for is not kept."""

    taken_at: datetime
    decisions: list[CameOfIt]
