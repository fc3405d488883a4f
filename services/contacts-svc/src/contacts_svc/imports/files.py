"""Where files wait while they are imported."""

import asyncio
from pathlib import Path
from uuid import UUID


def path_of(data_dir: Path, import_id: UUID) -> Path:
    """Return where an import's file lies; the name is ours, never the sender's."""
    return data_dir / "imports" / f"{import_id}.csv"


async def listed(data_dir: Path) -> dict[UUID, Path]:
    """Return the files that wait, by the id of their import."""

    def look() -> dict[UUID, Path]:
        found = {}
        for path in (data_dir / "imports").glob("*.csv"):
            try:
                found[UUID(path.stem)] = path
            except ValueError:
                continue
        return found

    return await asyncio.to_thread(look)
