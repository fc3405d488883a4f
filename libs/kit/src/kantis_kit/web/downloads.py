"""An answer that may be longer than memory: it waits in a file until the transaction that read it has ended."""

from collections.abc import AsyncIterator
from functools import partial
from tempfile import SpooledTemporaryFile

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

_PART = 1 << 20


async def spooled(
    parts: AsyncIterator[bytes], *, media_type: str, filename: str
) -> StreamingResponse:
    """Return these parts as a file to be saved under this name; all of them are read before the answer begins."""
    spool = SpooledTemporaryFile(max_size=_PART)  # noqa: SIM115 - closed when it was sent
    try:
        held = bytearray()
        async for part in parts:
            held += part
            if len(held) >= _PART:  # a thread for each line would take longer than the lines do
                await run_in_threadpool(spool.write, held)
                held = bytearray()
        await run_in_threadpool(spool.write, held)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return StreamingResponse(
        iter(partial(spool.read, _PART), b""),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
        background=BackgroundTask(spool.close),
    )
