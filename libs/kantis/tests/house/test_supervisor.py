"""What dies is started again, also when the machine has no room for it at first."""

import asyncio

from kantis import processes
from kantis.processes import Child, Supervisor


class Ended:
    """A process that has ended."""

    async def wait(self):
        return -9


class Running:
    """A process that runs until it is asked to end."""

    def __init__(self):
        self.has_begun, self.is_over = asyncio.Event(), asyncio.Event()

    async def wait(self):
        await self.is_over.wait()
        return 0


async def test_a_process_for_which_there_is_no_room_is_tried_again(monkeypatch):
    running, tries = Running(), []

    async def launch(child, _output):
        tries.append(child.name)
        if len(tries) < 3:
            raise BlockingIOError("Resource temporarily unavailable")
        child.process = running
        running.has_begun.set()

    async def no_pause(_seconds):
        pass

    monkeypatch.setattr(Child, "launch", launch)
    monkeypatch.setattr(processes.asyncio, "sleep", no_pause)
    supervisor = Supervisor.__new__(Supervisor)
    supervisor._log = None
    child = Child("orders web", (), {}, process=Ended())

    watching = asyncio.ensure_future(supervisor._watch(child))
    await running.has_begun.wait()
    child.is_held = True
    running.is_over.set()
    await watching

    assert ["orders web"] * 3 == tries
