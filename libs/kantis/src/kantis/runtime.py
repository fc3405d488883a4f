"""The note that a running installation leaves in its data folder, for the other commands."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "runtime.json"


@dataclass(frozen=True, slots=True)
class Running:
    """Where an installation answers, and how its databases are reached by their run-time roles."""

    url: str
    pid: int
    dsns: dict[str, str]
    mailbox: bool = False

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
        os.kill(running.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return running


def forget(data_dir: Path) -> None:
    """Remove the note at the end."""
    (data_dir / FILE).unlink(missing_ok=True)
