"""What the API shows of held sending."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from kantis_kit.web.schemas import In, Out


class WaitingOut(Out):
    """How many messages have no end yet, by state."""

    planned: int
    claimed: int
    handed_over: int
    in_doubt: int


class SendingOut(Out):
    """Whether mails go out, and what waits."""

    held: bool
    reason: str = Field(description="Why sending was held the last time it was; empty when never")
    since: datetime | None
    waiting: WaitingOut


class SentIn(In):
    """Messages that the mail server's log knows, and where that was looked up."""

    message_ids: list[Annotated[str, Field(min_length=3, max_length=320)]] = Field(
        min_length=1, max_length=2_000, description="Message-ID headers, with or without <>"
    )
    reason: str = Field(min_length=3, max_length=500)


class SentOut(Out):
    """How many of the waiting messages are recorded as accepted now."""

    recorded: int


class ReleaseIn(In):
    """Why a person lets sending go on."""

    reason: str = Field(min_length=3, max_length=500)
