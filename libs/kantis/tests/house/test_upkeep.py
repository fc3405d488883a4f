"""Partitions are kept while an installation runs, in processes of their own too."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

from kantis import processes, runner
from kantis.processes import all_processes
from kantis.runner import keep_partitions


class House:
    """An installation of which only the upkeep is asked."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder
        self.kept = 0
        self.seen, self.seen_again = asyncio.Event(), asyncio.Event()

    async def maintain(self):
        self.kept += 1
        self.seen.set()
        if self.kept == 1:
            raise OSError("the database is just starting")
        self.seen_again.set()

    def note(self):
        return SimpleNamespace(write=lambda _folder: None)


class NoProcesses:
    """A supervisor that starts nothing."""

    def __init__(self, _installation):
        self.is_stopped = False

    async def start(self, _told):
        pass

    async def stop(self):
        self.is_stopped = True


async def test_an_installation_of_processes_keeps_its_partitions(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "Supervisor", NoProcesses)
    house = House(tmp_path)

    async with all_processes(house) as supervisor:
        await house.seen.wait()

    assert (1, True) == (house.kept, supervisor.is_stopped)
    assert "upkeep" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_upkeep_that_fails_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "MAINTENANCE_SECONDS", 0)
    house = House(tmp_path)

    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(keep_partitions(house))
        await house.seen_again.wait()
        keeping.cancel()

    assert house.kept > 1
