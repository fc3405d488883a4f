"""The note that a running installation leaves in its data folder, for the other commands."""

import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from kantis_kit.db.postmaster import is_running

FILE = "runtime.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STARTED = 19  # of the words in /proc/<pid>/stat behind the program's name


@dataclass(frozen=True, slots=True)
class Running:
    """Where an installation answers, and how its databases are reached by their run-time roles."""

    url: str
    pid: int
    dsns: dict[str, str]
    mailbox: bool = False
    born: str = ""
    """What tells the process from a later one with its number."""

    @property
    def is_alive(self) -> bool:
        """Whether the process that left the note is there: after a crash its number may be a stranger's."""
        return is_running(self.pid) and (not self.born or birth_of(self.pid) == self.born)

    def write(self, data_dir: Path) -> None:
        """Leave the note; only its owner may read it."""
        draft = data_dir / f"{FILE}.tmp"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
        draft.replace(data_dir / FILE)


def read(data_dir: Path) -> Running | None:
    """Return the note when the installation that left it is alive."""
    path = data_dir / FILE
    try:
        running = Running(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return running if running.is_alive else None


def birth_of(pid: int) -> str:
    """Return when a process began, as the system tells it, and under which start of the machine; empty when it is gone."""
    if not _BOOT.exists():  # macOS
        command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a number
        return told.stdout.strip()
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return (
        f"{_BOOT.read_text(encoding='ascii').strip()} {stat.rpartition(')')[2].split()[_STARTED]}"
    )


def forget(data_dir: Path) -> None:
    """Remove the note at the end."""
    (data_dir / FILE).unlink(missing_ok=True)
