"""What the API takes and shows of webhooks."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from kantis_kit.web.schemas import In, Out


class DeliveryState(StrEnum):
    """How far a delivery is; `parked` waits for a person, `dropped` was given up by one."""

    WAITING = "waiting"
    DONE = "done"
    PARKED = "parked"
    DROPPED = "dropped"


class WebhookIn(In):
    """Where another system is told, by https, with a signature as Standard Webhooks 1.0 says."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "CRM", "url": "https://crm.example.com/kantis"}]}
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    url: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class WebhookOut(Out):
    """A webhook, and how many of its deliveries wait or were parked."""

    id: UUID
    name: str
    url: str
    key_id: str = Field(
        description="Which secret signs, as `webhook-key-id` says with each delivery"
    )
    created_by: str
    created_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    waiting: int = 0
    parked: int = 0


class WebhookMade(WebhookOut):
    """A webhook with its new secret, which this answer alone shows."""

    secret: str | None


class DeliveryOut(Out):
    """What is told of one step, and how that went."""

    id: UUID
    number: int
    person_id: UUID
    body: dict[str, Any]
    state: DeliveryState
    attempts: int
    due_at: datetime
    status: int | None
    problem: str
    made_at: datetime
    settled_at: datetime | None


class DeliveriesIn(In):
    """Which deliveries are meant; without ids all that are parked."""

    ids: list[UUID] | None = Field(default=None, min_length=1, max_length=1_000)


class DeliveriesCount(Out):
    """How many it were."""

    deliveries: int
