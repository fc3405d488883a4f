"""A folder that the processes of one test session share, and that is cleared by whoever leaves last.

Locks of the operating system say who is there: they vanish with a killed process, so that the next session finds and
clears what a killed one left behind.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from kantis_kit.errors import KantisError

_ENOUGH_BYTES = 2 * 1024**3


def fast_folder() -> Path:
    """Return where files that nobody keeps are written fastest: memory when there is enough, else the disk.

    Copying a template database of 60 tables: 15 ms in memory, 100 to 500 ms on a disk that others use too.
    """
    memory = Path("/dev/shm")  # noqa: S108 - the folder below it is checked to be ours
    if (
        memory.is_dir()
        and os.access(memory, os.W_OK)
        and shutil.disk_usage(memory).free > _ENOUGH_BYTES
    ):
        return memory
    return Path(tempfile.gettempdir())


class RunFolder:
    """One session's folder below a common one of this user."""

    def __init__(self, run: str, *, below: Path | None = None) -> None:
        self.run = run
        self.base = (below or fast_folder()) / f"kantis-tests-{os.geteuid()}"
        self.path = self.base / run
        self._user_lock: IO[bytes] | None = None

    def join(self) -> list[Path]:
        """Make the folder or enter it; return the folders that killed sessions left behind.

        Raises:
            KantisError: the common folder belongs to another user.
        """
        self.base.mkdir(mode=0o711, exist_ok=True)
        if self.base.stat().st_uid != os.geteuid():
            message = f"{self.base} belongs to another user. Remove it, or set TMPDIR to a folder of your own."
            raise KantisError(message)
        with self._locked(self.base / "lock"):
            stale = [path for path in self.base.iterdir() if path.is_dir() and self._is_stale(path)]
            self.path.mkdir(mode=0o711, exist_ok=True)
            self._user_lock = (self.path / "users").open("ab")
            fcntl.flock(self._user_lock, fcntl.LOCK_SH)
        return stale

    def leave(self) -> bool:
        """Leave; True when nobody is left, and the caller should clear the folder."""
        if self._user_lock is not None:
            self._user_lock.close()
            self._user_lock = None
        with self._locked(self.base / "lock"):
            return self.path.is_dir() and self._is_stale(self.path)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process of the session at a time into the block."""
        with self._locked(self.path / "turn"):
            yield

    def _is_stale(self, path: Path) -> bool:
        try:
            with (path / "users").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return path != self.path
        except OSError:
            return False
        return True

    @staticmethod
    @contextlib.contextmanager
    def _locked(path: Path) -> Iterator[None]:
        with path.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
