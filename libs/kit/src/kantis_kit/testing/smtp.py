"""A mail server that keeps what it accepted: on the disk before it says so, and as faulty as a test wants it.

In the test's process: `async with SmtpSink() as sink`, then `sink.port`, `sink.messages`, `await sink.wait_for(3)`. As a
process of its own, which survives the kills of what is tested: `python -m kantis_kit.testing.smtp --log FILE` (prints
its port), or `async with smtp_process(log) as sink`. Faults are set on `sink.faults`, or from anywhere over SMTP with
`XFAULT <pattern> <json>` and `XCLEAR`.
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

from kantis_kit.clock import Clock, SystemClock
from kantis_kit.testing.jsonl import FsyncedLog, read_log
from kantis_kit.testing.smtp_faults import Fault, Faults
from kantis_kit.testing.smtp_session import Record, Session, Wire
from kantis_kit.testing.waiting import eventually

__all__ = ["Fault", "Faults", "Record", "SmtpSink", "smtp_process"]

DISPATCH_HEADER = "X-Kantis-Dispatch"


class SmtpSink:
    """An SMTP server on loopback.

    Args:
        port: 0 takes a free one.
        log: file of JSON lines, one per recipient; written and synced before the 250 after the dot.
        key_header: header that holds the sender's dispatch key.
        keep_messages: put the whole message into the record.
        pipelining: offer PIPELINING; without it, whoever sends ahead is sent away.
        max_connections: the next one is greeted with 421.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Path | None = None,
        key_header: str = DISPATCH_HEADER,
        keep_messages: bool = True,
        pipelining: bool = True,
        max_connections: int = 1000,
        max_bytes: int = 25 * 1024 * 1024,
        clock: Clock | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.faults = Faults()
        self.attempts: list[Record] = []
        self.connections = self.most_connections = 0
        self.key_header, self.keep_messages = key_header, keep_messages
        self.pipelining, self.max_connections, self.max_bytes = (
            pipelining,
            max_connections,
            max_bytes,
        )
        self.clock = clock or SystemClock()
        self._log_path = log
        self._log: FsyncedLog | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def messages(self) -> list[Record]:
        """What was accepted since the start, one record per recipient."""
        return [record for record in self.attempts if record["accepted"]]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        if self._log_path is not None:
            self._log = FsyncedLog(self._log_path)
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End every connection, also the hanging ones."""
        if self._server is not None:
            self._server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None
        if self._log is not None:
            self._log.close()
            self._log = None

    async def wait_for(self, count: int, *, within: float = 60.0) -> list[Record]:
        """Wait until so many were accepted, and return them."""

        def enough() -> list[Record]:
            return self.messages if len(self.messages) >= count else []

        return await eventually(enough, message=f"{count} accepted mails", within=within)

    async def record(self, records: Sequence[Record]) -> None:
        """Keep records; returns when they are on the disk."""
        if self._log is not None:
            log = self._log
            await asyncio.gather(*(log.append(record) for record in records))
        self.attempts.extend(records)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.connections += 1
        self.most_connections = max(self.most_connections, self.connections)
        try:
            await Session(self, Wire(reader, writer)).run()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            self.connections -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@dataclass
class SinkProcess:
    """A mail server in a process of its own."""

    host: str
    port: int
    log: Path
    process: asyncio.subprocess.Process = field(repr=False)

    @property
    def messages(self) -> list[Record]:
        """What the log says was accepted, also by earlier processes that wrote to it."""
        return [record for record in read_log(self.log) if record["accepted"]]

    async def wait_for(self, count: int, *, within: float = 60.0) -> list[Record]:
        """Wait until so many were accepted, and return them."""

        def enough() -> list[Record]:
            found = self.messages
            return found if len(found) >= count else []

        return await eventually(enough, message=f"{count} accepted mails", within=within)

    async def set_fault(self, pattern: str, fault: dict[str, Any]) -> None:
        """Switch a fault on."""
        await self._command(f"XFAULT {pattern} {orjson.dumps(fault).decode()}")

    async def clear_faults(self) -> None:
        """Switch all faults off."""
        await self._command("XCLEAR")

    async def _command(self, line: str) -> None:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(f"{line}\r\n".encode())
            await reader.readline()  # the greeting
            answer = (await reader.readline()).decode()
            if not answer.startswith("250"):
                raise ValueError(answer.strip())
        finally:
            writer.close()
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def smtp_process(log: Path, *options: str) -> AsyncIterator[SinkProcess]:
    """Run the mail server as a process of its own for the block; `options` as on the command line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kantis_kit.testing.smtp", "--log", str(log), *options,
        stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        if process.stdout is None:  # for the type checker: it is a pipe
            raise RuntimeError("no output")
        said = (await process.stdout.readline()).decode().strip()
        if not said:
            raise RuntimeError(
                f"the mail server did not start: it ended with {await process.wait()}"
            )
        host, _, port = said.rpartition(":")
        yield SinkProcess(host, int(port), log, process)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.communicate()


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m kantis_kit.testing.smtp", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one, which is printed")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--key-header", default=DISPATCH_HEADER)
    parser.add_argument("--max-connections", type=int, default=1000)
    parser.add_argument("--no-pipelining", action="store_true")
    parser.add_argument("--no-messages", action="store_true", help="keep headers only")
    return parser.parse_args(arguments)


async def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is ended."""
    given = _arguments(arguments)
    sink = SmtpSink(
        host=given.host,
        port=given.port,
        log=given.log,
        key_header=given.key_header,
        keep_messages=not given.no_messages,
        pipelining=not given.no_pipelining,
        max_connections=given.max_connections,
    )
    async with sink:
        sys.stdout.write(f"{sink.host}:{sink.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
