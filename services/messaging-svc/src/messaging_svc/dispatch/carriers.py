"""What a channel gives the sender: how its messages are written, and lines on which they leave one by one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from kantis_kit.errors import KantisError
from kantis_kit.tx import Tx
from messaging_svc.dispatch.letters import Item

MessageT = TypeVar("MessageT")
MessageT_contra = TypeVar("MessageT_contra", contravariant=True)


class Refused(KantisError):
    """The other side said no to this message; nothing of it was taken."""

    is_permanent: bool
    """Whether another attempt is pointless."""


class Lost(KantisError):
    """The connection broke, or an answer did not come in time.

    `is_unknown` says whether the message may have been taken: its last byte was on its way.
    """

    def __init__(self, reason: str, *, is_unknown: bool = False) -> None:
        self.is_unknown = is_unknown
        super().__init__(reason)


class Line(Protocol[MessageT_contra]):
    """One way out; used by one message at a time."""

    @property
    def is_open(self) -> bool:
        """Say whether the other side is still listening: what it refuses then concerns the message alone."""
        ...

    async def begin(self, message: MessageT_contra) -> None:
        """Do all that can be repeated freely before the hand-over.

        Raises:
            Refused: the other side does not want the message, or us.
            Lost: it is away; nothing was sent.
        """
        ...

    async def deliver(self, message: MessageT_contra) -> str:
        """Send; return the other side's words.

        Raises:
            Refused: it did not take the message.
            Lost: no answer; `is_unknown` says whether the message may have been taken.
        """
        ...

    async def quit(self) -> None:
        """Say goodbye."""
        ...

    def close(self) -> None:
        """Drop the line."""
        ...


class Claimant(Protocol):
    """A channel, as the ledger sees it."""

    @property
    def channel(self) -> str:
        """Name the channel."""
        ...

    @property
    def takes(self) -> Sequence[str]:
        """Name the channels whose messages it claims: those that nobody can send are told so."""
        ...

    async def prepare(self, tx: Tx, items: Sequence[Item]) -> None:
        """Load what these messages need and is not held yet, in the transaction that claims them."""
        ...


class LineCarrier(Protocol[MessageT]):
    """A channel whose messages leave one by one."""

    @property
    def lines(self) -> int:
        """Say how many messages may be on their way at once; the most that one crash leaves in doubt."""
        ...

    @property
    def repeats(self) -> bool:
        """Say whether a transactional message may be sent again when nobody knows whether it was taken."""
        ...

    def line(self) -> Line[MessageT]:
        """Return a new way out."""
        ...

    def write(self, item: Item, *, at: datetime) -> MessageT:
        """Write the message.

        Raises:
            CannotRender: it cannot be made for this recipient.
        """
        ...
