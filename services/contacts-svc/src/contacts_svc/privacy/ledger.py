"""The erasures in the data folder: they survive when the database is set back.

One line per erasure: the person's id, the moment, and keyed hashes of the addresses; nothing that names anybody. Lines
are only ever appended, and are on the disk before the erasure is committed: what was answered is in the file. A line
without its erasure (a crash in between) is an erasure that was asked for.
"""

import fcntl
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson

from kantis_kit import observability
from kantis_kit.db.provision import sync_folder

log = observability.get_logger(__name__)

NAME = "contacts.erasures"


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who was erased, by an id that names nobody, and by which hashes their addresses are known again."""

    person_id: UUID | None
    at: datetime
    hashes: tuple[tuple[str, bytes], ...] = ()
    """Pairs of kind and keyed hash."""
    version: int = 0
    """Of the person, as erased: other services have seen lower ones only of the person as known."""
    erasure_id: UUID | None = None
    """None on lines that are older than receipts."""
    merged_ids: tuple[UUID, ...] = ()
    """Ids that were merged into the person's."""


def append(folder: Path, erasures: Iterable[Erasure]) -> None:
    """Bring erasures to the disk. Raises `OSError`."""
    lines = b"".join(_dump(erasure) for erasure in erasures)
    if not lines:
        return
    is_new = not (folder / NAME).exists()
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # Held by every process of the folder while it appends; ends with the descriptor.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            lines = b"\n" + lines  # a line that a crash has cut off
        while lines:
            lines = lines[os.write(descriptor, lines) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(folder)


def read_all(folder: Path) -> list[Erasure]:
    """Return every erasure that was recorded; lines that cannot be read are left out and counted in the log."""
    try:
        lines = (folder / NAME).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found = [_load(line) for line in lines if line]
    unreadable = found.count(None)
    if unreadable:
        log.warning("erasures.unreadable_lines", lines=unreadable)
    return [erasure for erasure in found if erasure is not None]


def _dump(erasure: Erasure) -> bytes:
    hashes = [[kind, digest.hex()] for kind, digest in erasure.hashes]
    person = str(erasure.person_id) if erasure.person_id else None
    line: dict[str, object] = {
        "person": person,
        "at": erasure.at,
        "hashes": hashes,
        "version": erasure.version,
    }
    if erasure.erasure_id:
        line |= {
            "erasure": str(erasure.erasure_id),
            "merged": [str(one) for one in erasure.merged_ids],
        }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _load(line: bytes) -> Erasure | None:
    try:
        given = orjson.loads(line)
        return Erasure(
            UUID(given["person"]) if given["person"] else None,
            datetime.fromisoformat(given["at"]),
            tuple((str(kind), bytes.fromhex(digest)) for kind, digest in given["hashes"]),
            int(given["version"]),
            UUID(given["erasure"]) if given.get("erasure") else None,
            tuple(map(UUID, given.get("merged", ()))),
        )
    except (ValueError, TypeError, KeyError):
        return None


def all_hashes(erasures: Sequence[Erasure]) -> dict[bytes, tuple[str, datetime]]:
    """Return the kind and moment of every hash."""
    return {digest: (kind, one.at) for one in erasures for kind, digest in one.hashes}
