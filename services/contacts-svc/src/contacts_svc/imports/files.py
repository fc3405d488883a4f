"""Where files wait while they are imported."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID


def path_of(data_dir: Path, import_id: UUID) -> Path:
    """Return where an import's file lies; the name is ours, never the sender's."""
    return data_dir / "imports" / f"{import_id}.csv"


async def store(path: Path, parts: AsyncIterator[bytes]) -> str:
    """Write a file as it comes in and see it on the disk before the import is promised; return its SHA-256."""
    file = await asyncio.to_thread(_open, path)
    digest = hashlib.sha256()
    try:
        async for part in parts:
            digest.update(part)
            await asyncio.to_thread(file.write, part)
        await asyncio.to_thread(_sync, file)
    finally:
        await asyncio.to_thread(file.close)
    return digest.hexdigest()


def _open(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    return path.open("wb")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


async def forget(path: Path) -> None:
    """Delete a file; one that is gone already is no error."""
    await asyncio.to_thread(path.unlink, missing_ok=True)


async def listed(data_dir: Path) -> dict[UUID, Path]:
    """Return the files that wait, by the id of their import."""

    def look() -> dict[UUID, Path]:
        found = {}
        for path in (data_dir / "imports").glob("*.csv"):
            try:
                found[UUID(path.stem)] = path
            except ValueError:
                continue
        return found

    return await asyncio.to_thread(look)
