"""The number of the last epoch in the data folder: it survives when the database is set back.

The database is always told first: after a crash the file is behind, never ahead, and nothing is held for it.
"""

import fcntl
import os
from pathlib import Path

from kantis_kit import observability
from kantis_kit.db.provision import sync_folder

log = observability.get_logger(__name__)

NAME = "messaging.epoch"


def read_epoch(folder: Path) -> int:
    """Return the number; 0 when there is no file or nothing readable in it."""
    try:
        return int((folder / NAME).read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0
    except (OSError, ValueError) as error:
        log.warning("sending.epoch_unreadable", error=type(error).__name__)
        return 0


def raise_epoch(folder: Path, number: int) -> bool:
    """Bring the number to the disk unless a higher one is there; False when the folder cannot be written."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        # Held by every sender of the folder while it compares and writes; ends with the descriptor.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if read_epoch(folder) >= number:
            return True
        fresh = folder / f"{NAME}.new"
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{number}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / NAME)
        sync_folder(folder)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
