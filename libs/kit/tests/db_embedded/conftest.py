"""One durable embedded server for the tests that only read how it is set up."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kantis_kit.db.embedded import EmbeddedPostgres


def run(work):
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


@pytest.fixture(scope="session")
def shared_embedded() -> Iterator[EmbeddedPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="kantis-embedded-"))
    embedded = EmbeddedPostgres(folder / "postgres")
    run(embedded.start())
    yield embedded
    run(embedded.stop())
    shutil.rmtree(folder)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A short folder: a socket's path may have some hundred characters only."""
    folder = Path(tempfile.mkdtemp(prefix="kantis-embedded-"))
    yield folder / "postgres"
    shutil.rmtree(folder)
