"""Whether there is a backup that could be put back: young enough, complete, and not one byte other than it was written."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

SUMS = "SHA256SUMS"
"""Written last by whoever makes a backup, as `sha256sum` writes it: without it a backup is not complete."""
_DIGEST_LENGTH = 64


def newest(folder: Path) -> Path | None:
    """Return the youngest complete backup below a folder, or the folder itself when it is one."""
    found = [*folder.glob(SUMS), *folder.glob(f"*/{SUMS}")]
    return max(found, key=lambda one: one.stat().st_mtime).parent if found else None


def faults_in(folder: Path, *, hours: float, now: datetime) -> Iterator[str]:
    """Say what keeps the newest backup from being one; nothing when it could be put back."""
    backup = newest(folder)
    if backup is None:
        yield f"no folder in {folder} has a file {SUMS}: no backup has ever been completed"
        return
    sums = backup / SUMS
    age = (now.timestamp() - sums.stat().st_mtime) / 3600
    if age > hours:
        yield f"the newest one is {age:.0f} hours old"
    listed = sums.read_text(encoding="utf-8", errors="replace").splitlines()
    if not listed:
        yield f"{sums} is empty"
    for line in listed:
        wanted, _, name = line.partition("  ")
        if len(wanted) != _DIGEST_LENGTH or not name or Path(name).name != name:
            yield f"{sums} has a line that sha256sum did not write: {line[:80]!r}"
            continue
        file = backup / name
        if not file.is_file():
            yield f"{name} is missing in {backup}"
        elif _digest(file) != wanted:
            yield f"{name} in {backup} is damaged: it is not what was written"


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
