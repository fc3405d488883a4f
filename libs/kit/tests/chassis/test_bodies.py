"""Bodies of requests with an idempotency key: hashed whole, never held whole."""

import asyncio
import hashlib
import tracemalloc
from dataclasses import replace

import pytest
from fastapi import Request

from kantis_kit.auth.policy import needs
from kantis_kit.testing.probe import SPEC
from kantis_kit.web import Router, Write
from kantis_kit.web.bodies import MEMORY_BYTES
from kantis_kit.web.middleware import Edge

PART = b"0123456789abcdef" * 4_096  # 64 KiB
LARGE = 32 * MEMORY_BYTES

router = Router(prefix="/v1/files", tags=["files"])
TAKEN: list[str] = []


@router.post("", policy=needs("files:write"), status_code=201, max_body_size=LARGE)
async def take_file(request: Request, tx: Write) -> dict[str, str]:
    """Take a file part by part, as an import does."""
    digest = hashlib.sha256()
    async for part in request.stream():
        digest.update(part)
    TAKEN.append(digest.hexdigest())
    return {"sha256": digest.hexdigest()}


@pytest.fixture(autouse=True)
def _nothing_taken():
    TAKEN.clear()


async def send(rig, size, *, last=b"", key="k"):
    async def parts():
        for _ in range((size - len(last)) // len(PART)):
            yield PART
        yield PART[: (size - len(last)) % len(PART)] + last

    async with rig.client() as client:
        return await client.post("/v1/files", content=parts(), headers={"Idempotency-Key": key})


def digest_of(size):
    return hashlib.sha256((PART * (size // len(PART) + 1))[:size]).hexdigest()


@pytest.mark.parametrize("size", [0, 1, len(PART), MEMORY_BYTES, MEMORY_BYTES + 1, 5_000_000])
async def test_the_handler_gets_every_byte_and_a_repetition_the_same_answer(rig_for, size):
    rig = await rig_for(replace(SPEC, routers=[router]), start=False)

    first = await send(rig, size)
    again = await send(rig, size)

    assert (201, {"sha256": digest_of(size)}) == (first.status_code, first.json())
    assert (first.content, "true") == (again.content, again.headers["idempotency-replayed"])
    assert [digest_of(size)] == TAKEN


async def test_another_last_byte_is_another_request(rig_for):
    rig = await rig_for(replace(SPEC, routers=[router]), start=False)

    await send(rig, 3 * MEMORY_BYTES)
    other = await send(rig, 3 * MEMORY_BYTES, last=b"!")

    assert (422, 1) == (other.status_code, len(TAKEN))


async def test_a_large_body_is_not_held_in_memory(rig_for):
    rig = await rig_for(replace(SPEC, routers=[router]), start=False)
    await send(rig, 1, key="what the first request of all loads")

    tracemalloc.start()
    try:
        answer = await send(rig, LARGE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 201 == answer.status_code
    assert peak < LARGE / 8


async def test_a_body_above_the_limit_is_refused_while_it_comes(rig_for):
    rig = await rig_for(replace(SPEC, routers=[router]), start=False)

    answer = await send(rig, LARGE + 1)

    assert (413, []) == (answer.status_code, TAKEN)


class Line:
    """A caller whose parts come one by one, each when it is let go; the service's deadline is told by the loop's clock."""

    def __init__(self, parts, seconds):
        self.parts, self.seconds = parts, seconds

    async def __call__(self):
        self.parts -= 1
        asyncio.get_running_loop().time.passed += self.seconds
        for _ in range(3):  # the loop sees that time has passed
            await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x", "more_body": self.parts > 0}


async def taken(parts, seconds, monkeypatch):
    """Send a body whose parts are so far apart; return the status. The clock of the loop is ours."""
    loop = asyncio.get_running_loop()
    real, answers = loop.time, []

    def time():
        return real() + time.passed

    time.passed = 0.0
    monkeypatch.setattr(loop, "time", time)

    async def app(_scope, receive, send):
        while True:
            message = await receive()
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        answers.append(message)

    scope = {"type": "http", "path": "/", "query_string": b"", "method": "POST", "headers": []}
    edge = Edge(app, service="probe", timeout_seconds=30)
    await edge(scope, Line(parts, seconds), send)
    return answers[0]["status"]


@pytest.mark.parametrize(
    ("parts", "seconds", "status"),
    [
        (10, 25, 201),  # four minutes in all, never silent for long
        (2, 31, 503),  # silent for longer than the deadline
        (60, 25, 503),  # never silent, and never done
        (1, 31, 503),  # a body in one part has the plain deadline
    ],
)
async def test_a_large_body_may_take_longer_than_the_deadline_while_it_comes(
    parts, seconds, status, monkeypatch
):
    assert status == await taken(parts, seconds, monkeypatch)
