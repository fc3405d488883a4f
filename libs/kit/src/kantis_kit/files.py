"""Files that wait on the disk until somebody takes them in."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO


async def store(path: Path, parts: AsyncIterator[bytes]) -> str:
    """Write a file as it comes in and see it on the disk before it is promised that it is taken; return its SHA-256."""
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
