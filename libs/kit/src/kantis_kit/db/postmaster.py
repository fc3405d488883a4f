"""The process of a PostgreSQL server: is it there, is it ready, end it."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_POLL_SECONDS = 0.01
_FAST_SECONDS = 60.0
_IMMEDIATE_SECONDS = 10.0


@dataclass(frozen=True)
class PostmasterFile:
    """What the server writes into `postmaster.pid`."""

    pgdata: Path
    pid: int
    port: int
    socket_dir: Path
    status: str

    @classmethod
    def read(cls, pgdata: Path) -> Self | None:
        """Return the file's content; None when there is no server, or it has just begun."""
        try:
            lines = (pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        if not lines or not lines[0].strip().isdigit():
            return None
        lines += [""] * (8 - len(lines))
        port = lines[3].strip()
        return cls(
            pgdata=pgdata,
            pid=int(lines[0]),
            port=int(port) if port.isdigit() else 0,
            socket_dir=Path(lines[4].strip()),
            status=lines[7].strip(),
        )

    def is_alive(self) -> bool:
        """Say whether the process is there and is the server of this folder, not one that got its number later."""
        return is_running(self.pid) and _works_in(self.pid, self.pgdata)

    def disown(self) -> None:
        """Let a new server start although a stranger has got the old one's number, or nobody collected its remains.

        A server refuses to start while the number in the file is taken, unless it is its parent's. The rest of the
        file stays: from it the server sees whether processes of the old one still hold the shared memory.
        """
        path = self.pgdata / "postmaster.pid"
        lines = path.read_text(encoding="utf-8").splitlines()
        lines[0] = str(os.getpid())
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if self.socket_dir.is_absolute():
            (self.socket_dir / f".s.PGSQL.{self.port}.lock").unlink(missing_ok=True)


def is_running(pid: int) -> bool:
    """Say whether a process is there and not merely waiting to be collected."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True  # no /proc: macOS
    return state.rpartition(")")[2].split()[0] != "Z"


def _works_in(pid: int, pgdata: Path) -> bool:
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == pgdata.resolve()
        except OSError:
            return False
    listed = subprocess.run(  # noqa: S603 - fixed
        ["/bin/ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return str(pgdata) in listed.stdout


def _children(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


class Postmaster:
    """A running server: our own child, or one that a killed process of ours left behind."""

    def __init__(
        self, pgdata: Path, pid: int, *, process: "subprocess.Popen[bytes] | None" = None
    ) -> None:
        self.pid = pid
        self.socket_dir = Path()
        self._pgdata = pgdata
        self._process = process

    def is_running(self) -> bool:
        """Say whether the server's first process is there."""
        if self._process is not None:
            return self._process.poll() is None
        return is_running(self.pid)

    async def wait_ready(self, within_seconds: float) -> PostmasterFile | None:
        """Wait until the server takes connections; None when it has ended instead.

        Raises:
            TimeoutError: it is still starting, or recovering.
        """
        async with asyncio.timeout(within_seconds):
            while self.is_running():
                found = PostmasterFile.read(self._pgdata)
                if found is not None and found.pid == self.pid and found.status == "ready":
                    self.socket_dir = found.socket_dir
                    return found
                await asyncio.sleep(_POLL_SECONDS)
        return None

    async def stop(self, *, in_order: bool = True) -> None:
        """End it, with less and less patience.

        Args:
            in_order: write everything to the data folder first; without it, the next start has to recover.
        """
        steps = [(signal.SIGQUIT, _IMMEDIATE_SECONDS), (signal.SIGKILL, _IMMEDIATE_SECONDS)]
        if in_order:
            steps.insert(0, (signal.SIGINT, _FAST_SECONDS))
        for number, seconds in steps:
            self._signal(number)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while self.is_running():  # noqa: ASYNC110 - another process sets no event
                        await asyncio.sleep(_POLL_SECONDS)
                return

    def stop_blocking(self) -> None:
        """End it in order, for the end of the process, when no event loop is left."""
        self._signal(signal.SIGINT)
        never = threading.Event()
        for _ in range(int(_FAST_SECONDS / _POLL_SECONDS)):
            if not self.is_running():
                return
            never.wait(_POLL_SECONDS)

    def release(self) -> None:
        """Let go of it: it outlives us, and nobody here waits for its end."""
        if self._process is not None:
            # Popen complains of a child that nobody has waited for, unless it has a result.
            self._process.returncode = 0
            self._process = None

    async def kill(self) -> None:
        """End all of its processes at once."""
        processes = [self.pid, *_children(self.pid)]
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while self.is_running() or any(map(is_running, processes)):  # noqa: ASYNC110 - as above
            await asyncio.sleep(_POLL_SECONDS)

    def _signal(self, number: int) -> None:
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
