"""Where the files of a batch lie; written beside their place and put there whole."""

import asyncio
import csv
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO
from uuid import UUID

from kantis_kit.csv_rows import quoted

_PART = 1 << 16
COLUMNS = (
    "position", "message_id", "name", "street", "postal_code", "city", "country", "language", "pages", "first_page",
    "response_code", "return_code",
)  # fmt: skip


def folder_of(data_dir: Path, batch_id: UUID) -> Path:
    """Return where the files of a batch lie."""
    return data_dir / "letters" / str(batch_id)


def pdf_of(data_dir: Path, batch_id: UUID) -> Path:
    """Return where the letters lie."""
    return folder_of(data_dir, batch_id) / "letters.pdf"


def manifest_of(data_dir: Path, batch_id: UUID) -> Path:
    """Return where the list of the letters lies."""
    return folder_of(data_dir, batch_id) / "manifest.csv"


class Manifest:
    """The list for the printing house: semicolons, a row per letter in the order of the pages."""

    def __init__(self, file: TextIO) -> None:
        self._rows = csv.writer(file, delimiter=";", lineterminator="\r\n")
        self._rows.writerow(COLUMNS)

    def add(self, values: Sequence[object]) -> None:
        """Write a row."""
        self._rows.writerow([quoted(str(value)) for value in values])


def open_draft(path: Path) -> Path:
    """Return where a file is written before it stands in its place."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f"{path.suffix}.draft")
    draft.touch(mode=0o600)
    return draft


def publish(draft: Path, path: Path) -> int:
    """Put a file that is written into its place, and see it on the disk; return its size."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    size = draft.stat().st_size
    draft.replace(path)
    return size


def read(path: Path) -> Iterator[bytes]:
    """Yield a file part by part; it is open from the first part on, so that deleting it cuts nobody off."""
    with path.open("rb") as file:
        while part := file.read(_PART):
            yield part


async def forget(data_dir: Path, batch_id: UUID) -> None:
    """Delete the files of a batch; those that are gone already are no error."""
    await asyncio.to_thread(shutil.rmtree, folder_of(data_dir, batch_id), ignore_errors=True)
