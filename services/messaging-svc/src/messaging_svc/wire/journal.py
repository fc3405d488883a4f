"""What a killed sender had begun: a small file in shared memory beside the ledger.

The ledger says which messages were handed over; only the process knew which of those had begun to leave. A mapped file
outlives its process without any system call or sync: after a kill, what had not begun is sent after all, and only what
had begun and has no answer is in doubt. It does not outlive its machine: a journal of an earlier boot says nothing.

A journal only ever says something about an attempt by its number (message, fence), and only what it says is believed:
of a message that it does not name nothing is known. So it stays true beside a database that was set back.
"""

import contextlib
import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Self
from uuid import UUID

_MAGIC = b"kantisj1"
_HEADER = struct.Struct("8s36s16sI")
_SLOT = struct.Struct("<16sQB")
_SLOT_BYTES = 32
_STATE_AT = 24
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SUFFIX = ".journal"


class Mark(IntEnum):
    """How far a message that was handed over, or was about to be, has come."""

    FREE = 0
    AHEAD = 1
    BEGUN = 2
    ACCEPTED = 3
    REFUSED = 4


@dataclass(frozen=True, slots=True)
class Note:
    """What a journal says of one attempt."""

    id: UUID
    fence: int
    mark: Mark


def boot_id() -> str:
    """Return the name of this run of this machine, empty where it has none."""
    try:
        return _BOOT_ID.read_text().strip()[:36]
    except OSError:
        return ""


class Journal:
    """The journal of one living sender."""

    def __init__(self, path: Path, descriptor: int, memory: mmap.mmap, slots: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._memory = memory
        self._free = list(range(slots))

    @classmethod
    def create(cls, folder: Path, sender: UUID, slots: int, *, part: int = 0) -> Self | None:
        """Begin a journal, one of several that a sender may have; None where the folder or the system allows none."""
        boot = boot_id()
        if not boot:
            return None
        start = _HEADER.size
        new = folder / f"{sender}-{part}.new"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.posix_fallocate(descriptor, 0, start + slots * _SLOT_BYTES)
            memory = mmap.mmap(descriptor, start + slots * _SLOT_BYTES)
            _HEADER.pack_into(memory, 0, _MAGIC, boot.encode(), sender.bytes, slots)
            path = new.rename(new.with_suffix(_SUFFIX))  # from here on others see it, locked
        except OSError:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                new.unlink()
            return None
        return cls(path, descriptor, memory, slots)

    @property
    def room(self) -> int:
        """Say how many more messages can be noted."""
        return len(self._free)

    def note(self, message_id: UUID, fence: int) -> int:
        """Say that this attempt has not begun; return its place. There must be room."""
        slot = self._free.pop()
        at = _HEADER.size + slot * _SLOT_BYTES
        _SLOT.pack_into(self._memory, at, message_id.bytes, fence, Mark.FREE)
        self._memory[at + _STATE_AT] = Mark.AHEAD
        return slot

    def mark(self, slot: int, mark: Mark) -> None:
        """Say how far it has come."""
        self._memory[_HEADER.size + slot * _SLOT_BYTES + _STATE_AT] = mark

    def free(self, slot: int) -> None:
        """Forget it: the ledger knows."""
        self.mark(slot, Mark.FREE)
        self._free.append(slot)

    def close(self) -> None:
        """Leave it to whoever comes next."""
        if self._descriptor >= 0:
            self._memory.close()
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """End in peace: the ledger knows everything."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                self._path.unlink()
            self.close()


@dataclass(frozen=True, slots=True)
class Legacy:
    """What a dead sender has left."""

    sender: UUID
    notes: tuple[Note, ...]


@contextlib.contextmanager
def legacy_at(path: Path) -> Iterator[Legacy | None]:
    """Read the journal of a sender that is dead, None when it lives; it is gone when the block ends well."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None  # its sender lives, or another one reads it
            return
        yield _read(os.pread(descriptor, os.fstat(descriptor).st_size, 0))
        with contextlib.suppress(OSError):
            path.unlink()
    finally:
        os.close(descriptor)


def _read(content: bytes) -> Legacy | None:
    if len(content) < _HEADER.size:
        return None
    magic, boot, sender, slots = _HEADER.unpack_from(content)
    if magic != _MAGIC or boot.decode("ascii", "replace") != boot_id():
        return None
    if len(content) < _HEADER.size + slots * _SLOT_BYTES:
        return None
    found = (_SLOT.unpack_from(content, _HEADER.size + n * _SLOT_BYTES) for n in range(slots))
    known = {int(mark) for mark in Mark if mark}
    return Legacy(
        UUID(bytes=sender),
        tuple(Note(UUID(bytes=i), fence, Mark(mark)) for i, fence, mark in found if mark in known),
    )


def journals_in(folder: Path) -> list[Path]:
    """Return what lies there, of the living and the dead."""
    try:
        return sorted(folder.glob(f"*{_SUFFIX}"))
    except OSError:
        return []
