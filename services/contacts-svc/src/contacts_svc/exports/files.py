"""Where exported files lie; their names are ours."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

_PART = 1 << 16


def path_of(data_dir: Path, export_id: UUID, kind: str) -> Path:
    """Return where an export's file lies."""
    return data_dir / "exports" / f"{export_id}.{kind}"


async def append(path: Path, offset: int, data: bytes) -> int:
    """Write from an offset on, forget what lay behind it, and see it on the disk; return the file's new size.

    What was written before a crash and is in no checkpoint is overwritten by the next try.
    """
    return await asyncio.to_thread(_append, path, offset, data)


def _append(path: Path, offset: int, data: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return offset + len(data)


def read(path: Path) -> Iterator[bytes]:
    """Yield a file part by part; it is open from the first part on, so that deleting it cuts nobody off."""
    with path.open("rb") as file:
        while part := file.read(_PART):
            yield part


async def forget(path: Path) -> None:
    """Delete a file; one that is gone already is no error."""
    await asyncio.to_thread(path.unlink, missing_ok=True)


async def forget_folder(path: Path) -> None:
    """Delete a folder with all that is in it; one that is gone already is no error."""
    await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
