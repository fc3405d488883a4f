"""A mail server that costs little: takes whatever comes, keeps nothing, counts.

A uvloop protocol in a process of its own that announces PIPELINING. Prints its port; on the command `XCOUNT` it answers
how many mails it took and what they cost it (`250 <mails> <processor microseconds>`).

    python benchmarks/_sink.py [PORT]
"""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time
from typing import cast

import uvloop

_END = b"\r\n.\r\n"


class Counts:
    """What was taken by all connections."""

    mails = 0


class Sink(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._is_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by inheritance
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer everything that is complete, in one write."""
        data = self._rest + data
        answers = []
        while data:
            if self._is_content:
                end = data.find(_END)
                if end < 0:
                    # Only what may be the beginning of the end is kept.
                    data = data[-4:]
                    break
                data = data[end + len(_END) :]
                self._is_content = False
                Counts.mails += 1
                answers.append(b"250 ok\r\n")
            else:
                end = data.find(b"\n")
                if end < 0:
                    break
                answers.append(self._answer(data[:end]))
                data = data[end + 1 :]
        self._rest = data
        if answers and self._transport is not None:
            self._transport.write(b"".join(answers))

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4]
        if verb == b"DATA":
            self._is_content = True
            return b"354 go on\r\n"
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if verb == b"QUIT":
            return b"221 bye\r\n"
        if verb == b"XCOU":
            return f"250 {Counts.mails} {int(process_time() * 1e6)}\r\n".encode()
        return b"250 ok\r\n"


async def main(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


@contextmanager
def cheap_sink() -> Iterator[int]:
    """Run our own sink."""
    with subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.kill()


def sink_cost(port: int) -> tuple[int, int]:
    """Return how many mails the cheap sink took, and its processor microseconds."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.recv(100)
        line.sendall(b"XCOUNT\r\n")
        _, mails, used = line.recv(100).split()
    return int(mails), int(used)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
