"""A log of JSON lines that is on the disk before the writer goes on: what the oracles of the fault tests rest on."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NEWLINE = 0x0A


class FsyncedLog:
    """Appends records; whoever waits at the same moment shares one fsync.

    A line that was torn by the end of a process was acknowledged to nobody, and is cut off when the file is opened
    again.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._cut_torn_line()
        self._turn = asyncio.Lock()
        self._waiting: list[bytes] = []
        self._queued = self._written = 0

    async def append(self, record: Mapping[str, Any]) -> None:
        """Write a record; returns when it is on the disk."""
        self._waiting.append(_line(record))
        self._queued += 1
        mine = self._queued
        async with self._turn:
            if self._written >= mine:
                return
            lines, self._waiting = self._waiting, []
            upto = self._queued
            await asyncio.shield(asyncio.to_thread(self._write, b"".join(lines)))
            self._written = upto

    def append_now(self, record: Mapping[str, Any]) -> None:
        """Write a record without an event loop; returns when it is on the disk."""
        self._write(_line(record))

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, lines: bytes) -> None:
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        os.fsync(self._descriptor)

    def _cut_torn_line(self) -> None:
        size = os.fstat(self._descriptor).st_size
        content = os.pread(self._descriptor, size, 0)
        if content and content[-1] != _NEWLINE:
            os.ftruncate(self._descriptor, content.rfind(b"\n") + 1)


def _line(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return every record of a log, also while another process writes; a torn last line is not one.

    Raises:
        ValueError: a line that is not the last is not JSON; tells which.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    records = []
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            message = (
                f"{path}, line {number} is not JSON ({error}): something else writes into this log."
            )
            raise ValueError(message) from error
    return records
