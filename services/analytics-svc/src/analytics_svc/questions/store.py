"""The port of stores that answer questions about raw facts: what they are asked, and what they promise.

Every store gives the same answer to the same question about the same facts; one suite of tests runs against all of them.
What a fact counts for is decided in one place, the rules of the facts: a store that is a copy is given each fact with what
it adds, so that no rule stands twice.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from analytics_svc.questions.errors import TooManyLines
from analytics_svc.questions.schemas import MOST_LINES, AnswerLine, Question
from kantis_kit.tx import ReadTx


@dataclass(frozen=True, slots=True)
class Standing:
    """What a copy knows of itself: of which copying it is (None: of none), and the version of its latest batch."""

    copy_id: UUID | None
    version: int


class FactStore(ABC):
    """A store of facts that can be asked."""

    name: ClassVar[str]

    @abstractmethod
    async def ask(self, tx: ReadTx, question: Question) -> list[AnswerLine]:
        """Return what facts add up to, in the order of the parts.

        Raises:
            TooManyLines: the answer is longer than `MOST_LINES`.
            StoreAway: the store does not answer, or takes too long.
        """


class CopyStore(FactStore):
    """A store beside the database: it is told of facts in batches, each fact as it stands, with what it adds."""

    @abstractmethod
    async def standing(self) -> Standing:
        """Return what the store holds. Raises `StoreAway`."""

    @abstractmethod
    async def begin(self, copy_id: UUID) -> None:
        """Forget everything and be this copy from now on. Raises `StoreAway`."""

    @abstractmethod
    async def take(self, lines: bytes) -> None:
        """Take a batch: a JSON object a line, as `sql.ROWS` makes it. Raises `StoreAway`.

        Of two accounts of a fact the one of the higher version holds, whichever comes first and however often.
        """


def in_order(lines: Iterable[AnswerLine]) -> list[AnswerLine]:
    """Return lines in the order of their parts, the same whatever store and collation they come from."""
    found = list(lines)
    if len(found) > MOST_LINES:
        raise TooManyLines(
            f"by: more than {MOST_LINES:,} lines; ask for fewer days, for one campaign or channel, or by less"
        )
    return sorted(found, key=lambda line: tuple(map(str, line.model_dump().values())))
