"""The demonstration ends when nothing goes on, and says what stands still."""

from datetime import timedelta

import httpx
import pytest
from rich.console import Console
from rich.progress import Progress
from typer.testing import CliRunner

from kantis.cli import app
from kantis.demo import play
from kantis.demo.client import Api
from kantis.demo.story import STANDSTILL_SECONDS, DemoFailed, Story
from kantis_kit.clock import FrozenClock

WAITS = {"outbox": {"ok": True, "waiting": 1200, "oldest_seconds": 61.2}}
PARKED = {"parked": {"ok": True, "messages": 3}, "broker": {"ok": True, "state": "down"}}
ILL = {"database": {"ok": False, "detail": "does not answer (OSError)"}}
SERVICES = {
    "campaign": {"ok": True, "checks": WAITS},
    "messaging": {"ok": True, "checks": PARKED},
    "orders": {"ok": False, "checks": ILL},
    "analytics": {"ok": True, "checks": {"database": {"ok": True}}},
    "contacts": {"ok": False, "detail": "does not answer"},
}
HELD = {"held": True, "reason": "restored", "waiting": {"planned": 40, "in_doubt": 2, "claimed": 0}}
FREE = {"held": False, "reason": "", "waiting": {"planned": 0}}


class Quick(FrozenClock):
    """A clock on which nobody waits."""

    async def sleep(self, seconds):
        self.advance(timedelta(seconds=seconds))


def answering(**pages):
    def answer(request):
        name = request.url.path.rsplit("/", 1)[1]
        if name not in pages:
            raise httpx.ConnectError("nobody there")
        return httpx.Response(503 if name == "readyz" else 200, json=pages[name])

    return httpx.MockTransport(answer)


@pytest.fixture
async def tell_story():
    stories = []

    def make(**pages):
        api = Api("http://kantis.test", "key")
        api._client = httpx.AsyncClient(base_url="http://kantis.test", transport=answering(**pages))
        quiet = Console(quiet=True)
        story = Story(api, quiet, Progress(console=quiet), 10, mailbox=True, clock=Quick())
        stories.append(story)
        return story

    yield make
    for story in stories:
        await story.api._client.aclose()


def standing(done, of):
    async def look():
        return done, of, False

    return look


async def test_a_step_that_stands_still_ends_with_what_waits_where(tell_story):
    story = tell_story(readyz={"services": SERVICES}, sending=HELD)
    start = story.clock.now()

    with pytest.raises(DemoFailed) as failed:
        await story.until("Sending", standing(1500, 4000))

    said = str(failed.value)
    assert "Sending: no progress for 60 s, it stands at 1,500 of 4,000" in said
    for part in (
        "1,200 events in the outbox of campaign, the oldest 61 s old",
        "3 parked messages of messaging (`kantis parked list`)",
        "messaging has no connection to the broker",
        "orders is not ready (does not answer (OSError))",
        "contacts is not ready (does not answer)",
        "sending is held (restored)",
        "messages without an end: 40 planned, 2 in doubt",
    ):
        assert part in said
    assert "analytics" not in said
    waited = (story.clock.now() - start).total_seconds()
    assert STANDSTILL_SECONDS <= waited < STANDSTILL_SECONDS + 1


async def test_a_step_that_goes_on_may_take_long_and_going_to_and_fro_is_no_progress(tell_story):
    story = tell_story(readyz={"services": {}}, sending=FREE)
    start, looks = story.clock.now(), []

    async def slow():
        looks.append(None)
        return len(looks) // 500, 20, len(looks) // 500 == 20

    await story.until("Slow", slow)
    assert story.clock.now() - start > timedelta(minutes=15)

    async def to_and_fro():
        looks.append(None)
        return len(looks) % 2, None, False

    with pytest.raises(DemoFailed, match="Nothing is known to wait"):
        await story.until("To and fro", to_and_fro)


async def test_an_installation_that_is_gone_is_told_as_such(tell_story):
    with pytest.raises(DemoFailed, match="the installation does not say how it is"):
        await tell_story().until("Sending", standing(0, None))


def test_the_command_ends_with_1_and_the_sentence(monkeypatch, tmp_path):
    async def stand_still(*_args, **_more):
        raise DemoFailed("Sending: no progress for 60 s, it stands at 1 of 2.")

    monkeypatch.setattr(play, "play", stand_still)
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path))

    ended = CliRunner().invoke(app, ["demo"])

    assert 1 == ended.exit_code
