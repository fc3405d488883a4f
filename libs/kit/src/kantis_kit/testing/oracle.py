"""What a client knows of its own requests, written down outside the system: acked ⊆ stored ⊆ attempted, no key twice.

`intent` is on the disk before the request leaves, `ack` after its answer has come. One request more than acknowledged
may be stored: its answer was lost, and the retry with the same key must find it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from kantis_kit.testing.jsonl import FsyncedLog, read_log


@dataclass(frozen=True)
class Reconciliation:
    """The difference between what clients know and what is stored."""

    attempted: int
    acknowledged: int
    stored: int
    lost: tuple[str, ...]
    """Acknowledged, and not stored."""
    doubled: tuple[str, ...]
    """Stored more than once."""
    ghosts: tuple[str, ...]
    """Stored, and never attempted."""
    in_doubt: tuple[str, ...] = field(default=())
    """Attempted, neither acknowledged nor refused: stored or not, both are legal."""

    @property
    def is_sound(self) -> bool:
        """Say whether the promise holds."""
        return not (self.lost or self.doubled or self.ghosts)

    def check(self) -> Self:
        """Raise when the promise is broken.

        Raises:
            AssertionError: tells every kind of difference, with the first keys.
        """
        if not self.is_sound:
            parts = [
                f"{len(keys)} {name} ({', '.join(keys[:10])}{' …' if len(keys) > 10 else ''})"  # noqa: PLR2004
                for name, keys in (
                    ("acknowledged but not stored", self.lost),
                    ("stored more than once", self.doubled),
                    ("stored but never attempted", self.ghosts),
                )
                if keys
            ]
            message = (
                f"{'; '.join(parts)}; of {self.attempted} attempted, {self.acknowledged} acknowledged, "
                f"{self.stored} stored"
            )
            raise AssertionError(message)
        return self


class ClientOracle:
    """The notebook of the clients of one run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = FsyncedLog(path)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; it can still be reconciled."""
        self._log.close()

    async def intent(self, key: str, **about: Any) -> None:
        """Write down that a request with this key is about to leave (again, when it is a retry)."""
        await self._log.append({"what": "intent", "key": key, **about})

    async def ack(self, key: str, **about: Any) -> None:
        """Write down that the system has confirmed the request."""
        await self._log.append({"what": "ack", "key": key, **about})

    async def refused(self, key: str, **about: Any) -> None:
        """Write down that the system has clearly said no: the key must not be stored."""
        await self._log.append({"what": "refused", "key": key, **about})

    def records(self, what: str) -> list[dict[str, Any]]:
        """Return the records of one kind (`intent`, `ack`, `refused`)."""
        return [record for record in read_log(self._path) if record["what"] == what]

    def reconcile(self, stored: Iterable[str]) -> Reconciliation:
        """Compare with the keys that the system holds, each as often as it holds it."""
        held = Counter(stored)
        attempted = {record["key"] for record in self.records("intent")}
        acked = {record["key"] for record in self.records("ack")}
        refused = {record["key"] for record in self.records("refused")} - acked
        return Reconciliation(
            attempted=len(attempted),
            acknowledged=len(acked),
            stored=held.total(),
            lost=tuple(sorted(acked - held.keys())),
            doubled=tuple(sorted(key for key, count in held.items() if count > 1)),
            ghosts=tuple(sorted(held.keys() - (attempted - refused))),
            in_doubt=tuple(sorted(attempted - acked - refused)),
        )
