"""Words and bounds that the campaigns' requests and answers share."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Minor = Annotated[int, Field(ge=0, le=10**15)]
Percent = Annotated[int, Field(ge=1, le=100)]
ResponsePercent = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
Priority = Annotated[
    int,
    Field(
        ge=0, le=100, description="Where a cap lets a person get only one, the higher one is told"
    ),
]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]
TopicKey = Annotated[
    str,
    Field(
        max_length=60,
        pattern=r"^[a-z0-9_-]*$",
        description="Key of the topic that the messages are about; who refused it gets none",
    ),
]
ListId = Annotated[
    UUID | None,
    Field(description="The list that is spoken to; who is suppressed for it gets nothing"),
]
KeyCode = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{1,11}$", to_upper=True)
]


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    LAUNCHING = "launching"
    RUNNING = "running"
    FINISHED = "finished"


class WhenShort(StrEnum):
    """What happens when budget or capacity do not suffice for everybody who is reached."""

    REFUSE = "refuse"
    """The pre-flight is red."""
    BY_VALUE = "by_value"
    """The most active and valuable get a piece; the passive and those who never bought come last."""


class PieceState(StrEnum):
    """What became of a piece; one that `waits` is released with a later wave, one that is `left_out` never."""

    WAITING = "waiting"
    LEFT_OUT = "left_out"
    RELEASED = "released"
    IN_DOUBT = "in_doubt"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    ACCEPTED = "accepted"
    FAILED = "failed"


class Level(StrEnum):
    """How much a finding weighs: red blocks, yellow needs a signature, green is for information."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Metric(StrEnum):
    """What makes a cell better than another."""

    RESPONDED = "responded"
    ORDERED = "ordered"
    PAID = "paid"
