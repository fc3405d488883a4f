"""What a channel gives the sender: how its messages are written, and how they leave one by one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from kantis_kit.errors import KantisError
from kantis_kit.tx import Tx
from messaging_svc.dispatch.letters import Item

MessageT = TypeVar("MessageT")


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

    @property
    def is_away(self) -> bool:
        """Say whether the other side has failed too often and is left alone for a while."""
        ...

    def write(self, item: Item, *, at: datetime) -> MessageT:
        """Write the message.

        Raises:
            CannotRender: it cannot be made for this recipient.
        """
        ...

    async def deliver(self, message: MessageT) -> str:
        """Send; return the other side's words.

        Raises:
            Refused: it did not take the message.
            Lost: no answer; `is_unknown` says whether the message may have been taken.
        """
        ...
