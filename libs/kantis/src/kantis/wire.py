"""How answers leave on the wire: head and body of one in a single write.

uvicorn writes the head of an answer, then its body: two calls into the kernel, each as dear as reading a small request.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD = b"HTTP/1.1 "


class HeldHead(asyncio.Transport):
    """A transport that keeps the head of an answer until its body comes, for no longer than this round of the loop."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write; a head waits for what is written next."""
        if self._held:
            data, self._held = self._held + data, b""
        elif isinstance(data, bytes) and data.startswith(_HEAD):
            self._held = data
            # An answer that streams may send its first piece much later: its head does not wait for it.
            self._loop.call_soon(self._flush)
            return
        self._transport.write(data)

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def close(self) -> None:
        """Close once all is written."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what is held is lost as what is buffered is."""
        self._held = b""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Say whether it is closed or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return what the transport knows of the connection."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._transport.resume_reading()


class OneWrite(HttpToolsProtocol):
    """uvicorn's protocol over a transport that holds heads."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to serve a connection."""
        super().connection_made(HeldHead(transport))
