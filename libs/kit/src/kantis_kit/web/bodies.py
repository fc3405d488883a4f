"""A request's body, read to its end before the handler runs: hashed on the way, large ones kept in a file."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile

from fastapi import Request

from kantis_kit.web.middleware import Message

MEMORY_BYTES = 1 << 20  # as large as a body may be where no route says otherwise
_PART = 1 << 18


@asynccontextmanager
async def kept(
    request: Request, folder: Path, watch: Callable[[bytes], object]
) -> AsyncIterator[Request]:
    """Read the body to its end, show each part to `watch`, and provide a request that gives the same body.

    No more than a megabyte is held in memory; the rest lies in a nameless file in `folder` until the block is left.
    """
    size = 0
    with SpooledTemporaryFile(max_size=MEMORY_BYTES, dir=_existing(folder)) as file:
        async for part in request.stream():
            watch(part)
            size += len(part)
            if size > MEMORY_BYTES:
                await asyncio.to_thread(file.write, part)
            else:
                file.write(part)
        file.seek(0)
        left = size

        async def receive() -> Message:
            nonlocal left
            part = await asyncio.to_thread(file.read, _PART) if size > MEMORY_BYTES else file.read()
            left -= len(part)
            return {"type": "http.request", "body": part, "more_body": left > 0}

        yield Request(request.scope, receive)


def _existing(folder: Path) -> str | None:
    # Some processes have no data folder; the system's own place for such files is as good for them.
    return str(folder) if folder.is_dir() else None
