"""Sessions share a server through a folder, and clear what killed sessions left behind."""

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kantis_kit.db.postmaster import PostmasterFile, is_running
from kantis_kit.errors import KantisError
from kantis_kit.testing.runfolder import RunFolder, fast_folder

SESSION = """
import sys, threading
from pathlib import Path
from kantis_kit.testing.postgres import server_for_session

with server_for_session(below=Path(sys.argv[1])) as server:
    print(server.admin_dsn(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def below():
    with tempfile.TemporaryDirectory(prefix="kantis-runs-", dir=fast_folder()) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def session(below: Path, run: str, worker: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SESSION, str(below)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTEST_XDIST_TESTRUNUID": run, "PYTEST_XDIST_WORKER": worker},
    )


def server_pid(below: Path, run: str) -> int:
    found = PostmasterFile.read(
        below / f"kantis-tests-{os.geteuid()}" / run / "postgres" / "pgdata"
    )
    assert found is not None
    return found.pid


async def test_the_last_to_leave_is_told_so(below):
    first, second = RunFolder("run", below=below), RunFolder("run", below=below)
    assert first.join() == []
    assert second.join() == []

    assert first.leave() is False
    assert second.leave() is True


async def test_a_session_that_is_there_is_not_stale_and_one_that_has_gone_is(below):
    other, mine, third = (RunFolder(name, below=below) for name in ("other", "mine", "third"))
    other.join()
    assert mine.join() == []

    other.leave()

    assert third.join() == [other.path]
    mine.leave()
    third.leave()


async def test_a_common_folder_of_another_user_is_refused(below, monkeypatch):
    folder = RunFolder("run", below=below)
    folder.base.mkdir()
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)

    with pytest.raises(KantisError, match="belongs to another user"):
        folder.join()


async def test_others_may_not_look_into_the_folder(below):
    folder = RunFolder("run", below=below)
    folder.join()

    assert not stat.S_IMODE(folder.base.stat().st_mode) & 0o066
    folder.leave()


async def test_workers_of_a_session_share_a_server_and_the_last_one_ends_it(below):
    with (
        session(below, "run-shared", "gw0") as first,
        session(below, "run-shared", "gw1") as second,
    ):
        dsns = [await asyncio.to_thread(worker.stdout.readline) for worker in (first, second)]
        pid = server_pid(below, "run-shared")
        assert dsns[0] == dsns[1]

        await asyncio.to_thread(first.communicate)
        assert is_running(pid)
        await asyncio.to_thread(second.communicate)

    assert not is_running(pid)
    assert not list((below / f"kantis-tests-{os.geteuid()}").glob("run-*"))


async def test_the_server_of_a_killed_session_is_ended_by_the_next_one(below):
    with session(below, "run-killed", "main") as killed:
        await asyncio.to_thread(killed.stdout.readline)
        pid = server_pid(below, "run-killed")
        killed.kill()
    assert is_running(pid)

    with session(below, "run-next", "main") as following:
        await asyncio.to_thread(following.stdout.readline)
        assert not is_running(pid)
        await asyncio.to_thread(following.communicate)

    assert not list((below / f"kantis-tests-{os.geteuid()}").glob("run-*"))
