"""A process that is asked to end is not noticed: readiness first, then what is under way, then the end."""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from kantis.errors import InstallationError
from kantis.installation import Surroundings
from kantis.operations import create_api_key
from kantis.ports import PortRow, is_free, listen, listen_in_front
from kantis.registry import SERVICES
from kantis.runner import KEEP_ALIVE_SECONDS, is_in_use, saying_goodbye, server_for
from kantis_kit.testing.waiting import eventually

PATIENCE = 25
"""Seconds until somebody asks why an answer takes so long: longer than any restart."""
READS = {
    "contacts": "/v1/contacts?limit=1",
    "campaign": "/v1/campaigns?limit=1",
    "orders": "/v1/orders?limit=1",
    "messaging": "/v1/messages/in-doubt",
    "analytics": "/v1/reports/campaigns",
}


@dataclass
class Load:
    """Callers that never repeat a request by themselves, and wait only when they are told to."""

    url: str
    key: str
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Who was not let in: allowed once nobody listens and nobody will."""
    is_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self, name: str, path: str) -> None:
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=PATIENCE, trust_env=False
        ) as client:
            while not self.is_over.is_set():
                pause = await self._once(client, name, path)
                try:
                    await asyncio.wait_for(self.is_over.wait(), pause)
                except TimeoutError:
                    continue

    async def _once(self, client: httpx.AsyncClient, name: str, path: str) -> float:
        try:
            answer = await client.get(path)
        except httpx.ConnectError:
            self.refused.append(name)
            return 0.05
        except httpx.TransportError as error:
            self.failures.append(f"{name}: {type(error).__name__} {error}")
            return 0.05
        told = answer.headers.get("retry-after")
        if answer.status_code == 503 and told is not None:
            self.answers[f"{name} later"] += 1
            return float(told)
        if answer.is_success:
            self.answers[name] += 1
        else:
            self.failures.append(f"{name}: {answer.status_code} {answer.text[:200]}")
        return 0.05

    async def one_more(self, name: str) -> None:
        """Wait until a caller of this service has had one more success."""
        had = self.answers[name]
        await eventually(lambda: self.answers[name] > had, message=f"{name}: nobody was served")


async def make_key(house):
    around = Surroundings.read(house.environment)
    return await create_api_key(around, role="administrator", name="")


async def load_on(house):
    """Return callers of every service, each of which has been served, and what they do."""
    load = Load(house.running.url, await make_key(house))
    callers = [
        asyncio.ensure_future(load.call(name, READS[name])) for name in SERVICES for _ in "ab"
    ]
    for name in SERVICES:
        await load.one_more(name)
    return load, callers


async def web_sides(house):
    """Return the process and the port of each service's web side, and of the gateway."""
    found = {}
    for pid, command in (await house.children()).items():
        side = re.search(r"serve (\w+) --role (web|all) .*--port (\d+)", command)
        if side:
            found[side[1]] = (pid, int(side[3]))
    return found


async def readiness_until_gone(client, port):
    """Return the readiness as it was told until the port was closed."""
    told = []
    while True:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}/readyz")
        except httpx.TransportError:
            return told
        told.append((answer.status_code, answer.json()["stopping"]))


async def is_stopping(client, url):
    """Say whether the front tells that it is about to end."""
    answer = await client.get(url)
    return answer.status_code == 503 and answer.json()["stopping"]


async def gone(pid):
    def is_gone():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    await eventually(is_gone, message=f"{pid} did not end", within=30)


@pytest.mark.parametrize("stopping", [False, True])
async def test_a_stopping_process_closes_each_connection_with_its_answer(stopping):
    async def answer(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"done"})

    app = saying_goodbye(answer, lambda: stopping)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://service.test"
    ) as client:
        given = await client.get("/")

    assert b"done" == given.content
    assert "b" == given.headers["a"]
    assert ("close" if stopping else None) == given.headers.get("connection")


@pytest.mark.parametrize(
    ("silent_seconds", "waited_for"), [(None, True), (0, True), (1, True), (4, False)]
)
async def test_a_connection_is_closed_only_when_its_caller_is_silent(silent_seconds, waited_for):
    loop = asyncio.get_running_loop()
    connection = HttpToolsProtocol(server_for(_saying(b""), port=0).config, ServerState(), {})
    now = loop.time()
    if silent_seconds is not None:
        ends = now - silent_seconds + KEEP_ALIVE_SECONDS
        connection.timeout_keep_alive_task = loop.call_at(
            ends, connection.timeout_keep_alive_handler
        )

    assert waited_for == is_in_use(connection, now)


async def test_callers_wait_at_a_held_socket_while_the_process_behind_it_is_changed():
    held = listen_in_front(None)
    port = held.getsockname()[1]
    try:
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            for word in (b"first", b"second"):
                asking = asyncio.ensure_future(client.get(f"http://127.0.0.1:{port}/"))
                server = server_for(_saying(word), port=port)
                serving = asyncio.ensure_future(server.serve(sockets=[held.dup()]))
                assert word == (await asking).content
                await server.stop_listening()
                server.should_exit = True
                await serving
    finally:
        held.close()


def _saying(word):
    async def app(scope, _receive, send):
        assert scope["type"] == "http"
        headers = [(b"content-length", str(len(word)).encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": word})

    return app


@pytest.mark.parametrize("is_late", [False, True])
async def test_nobody_who_has_come_through_the_door_is_cut_off_when_it_closes(is_late):
    with listen_in_front(None) as door:
        port = door.getsockname()[1]
        server = server_for(_saying(b"word"), port=port)
        serving = asyncio.ensure_future(server.serve(sockets=[door]))
        await eventually(lambda: server.started, message="it did not start")
        callers = []

        def come():
            with contextlib.suppress(ConnectionRefusedError):
                callers.append(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
                callers[-1].sendall(b"GET / HTTP/1.1\r\nHost: kantis.test\r\n\r\n")

        if is_late:  # while the process is about to close the door
            asyncio.get_running_loop().call_soon(come)
        else:  # before anything else could let them in
            come()
        await server.stop_listening()
        answers = [await asyncio.to_thread(caller.recv, 100) for caller in callers]
        server.should_exit = True
        await serving
        for caller in callers:
            caller.close()

    assert is_late or answers
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


def test_a_taken_port_is_told_with_what_to_do():
    with listen_in_front(None) as held, pytest.raises(InstallationError, match="KANTIS_PORT"):
        listen(held.getsockname()[1])


def test_two_houses_are_given_ports_of_their_own():
    with contextlib.closing(PortRow()) as one, contextlib.closing(PortRow()) as other:
        ours, theirs = ([row.take() for _ in range(15)] for row in (one, other))

        assert not {*ours} & {*theirs}
        assert 15 == len({*ours})
        with listen_in_front(None) as here, listen_in_front(None) as there:
            assert here.getsockname() != there.getsockname()


def test_a_row_passes_over_what_another_program_has():
    with contextlib.closing(PortRow()) as row:
        first = row.take()
        with listen(first + 1):
            assert not is_free(first + 1)
            assert first + 2 == row.take()


@pytest.mark.timeout(300)
async def test_ending_each_process_in_turn_and_then_all_under_load_fails_no_request(
    open_house, tmp_path
):
    async with open_house(tmp_path, "--processes") as house:
        load, callers = await load_on(house)
        sides = await web_sides(house)
        assert {*SERVICES, "gateway"} == set(sides), await house.children()

        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as prober:
            for name in SERVICES:
                pid, port = sides[name]
                os.kill(pid, signal.SIGTERM)
                told = await readiness_until_gone(prober, port)
                assert (503, True) in told, f"{name} closed before it said so: {told}"
                assert (200, False) not in told[told.index((503, True)) :]
                await gone(pid)
            pid, port = sides["gateway"]
            os.kill(pid, signal.SIGTERM)
            front = f"http://127.0.0.1:{port}/readyz"
            await eventually(lambda: is_stopping(prober, front), message="it did not say so")
            await gone(pid)
        for name in SERVICES:
            await load.one_more(name)

        after = await web_sides(house)
        assert all(after[name][0] != pid for name, (pid, _) in sides.items())
        assert ([], []) == (load.failures, load.refused), dict(load.answers)

        await end(house, load, callers)


@pytest.mark.timeout(300)
async def test_ending_the_house_under_load_fails_no_request(open_house, tmp_path):
    async with open_house(tmp_path) as house:
        load, callers = await load_on(house)

        await end(house, load, callers)


async def end(house, load, callers):
    """End the whole house; whoever calls meanwhile is served, or told at the door that nobody is let in."""
    port = int(house.running.url.rsplit(":", 1)[1])
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as prober:
        house.process.send_signal(signal.SIGTERM)
        front = f"http://127.0.0.1:{port}/readyz"

        async def says_so():
            refused = [*load.refused]
            if await is_stopping(prober, front):
                return True
            assert [] == refused, "somebody is not let in while everybody is told to come"
            return False

        await eventually(says_so, message="it did not say so")
        told = await readiness_until_gone(prober, port)
    load.is_over.set()
    await asyncio.gather(*callers)

    assert {(503, True)} >= set(told)
    assert 0 == await house.process.wait()
    assert [] == load.failures, dict(load.answers)
