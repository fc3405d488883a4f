"""What the API takes and shows of spikes."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from kantis_kit.web.schemas import In, Out


class Kind(StrEnum):
    """What a launch is paused for when there is too much of it."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"


class SpikeLimitIn(In):
    """A launch pauses itself above this rate, once it has sent so many messages in the window."""

    rate_pct: Decimal = Field(gt=0, le=100, max_digits=6, decimal_places=3)
    min_messages: int = Field(ge=1, le=1_000_000)
    window_minutes: int = Field(ge=1, le=30 * 24 * 60)


class SpikeLimitOut(Out):
    """When launches pause themselves."""

    kind: Kind
    rate_pct: float
    min_messages: int
    window_minutes: int
    changed_at: datetime
