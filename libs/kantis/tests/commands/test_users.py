"""`kantis user`: somebody gets an account and a link that works once; what cannot be is said and adds nobody."""

import asyncio
import io
import json
import sys
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from gateway.main import SPEC
from gateway.users import passwords
from gateway.users.errors import LinkRefused
from gateway.users.usecases import use_link
from kantis import cli, runtime, users
from kantis.installation import Surroundings
from kantis_kit.tx import write

EMAIL = "kari@eksempel.test"


@pytest.fixture
async def rig(rig_for, monkeypatch, tmp_path):
    made = await rig_for(SPEC, start=False)
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path / "nothing runs here"))
    monkeypatch.setenv("KANTIS_SERVICE", "gateway")
    monkeypatch.setenv("KANTIS_POSTGRES_DSN", made.dsns["gateway"])
    monkeypatch.setattr(passwords, "WORK", passwords.Work(log2_n=4, p=1))
    return made


async def kantis(*words):
    return await asyncio.to_thread(CliRunner().invoke, cli.app, ["user", *words])


def token_of(link):
    address, _, token = link.strip().rpartition("/")
    assert address.endswith("/console/welcome")
    return token


async def open_with(rig, link):
    stored = await passwords.hash_password("four plain words here")
    async with write(rig.service.scope, actor="test") as tx:
        user = await use_link(tx, token_of(link), stored)
        return user.email, user.role, user.language, user.name


async def everybody(rig):
    pool = await rig.service.database.pool()
    rows = await pool.fetch("SELECT email, created_by FROM console_user ORDER BY id")
    return [tuple(row) for row in rows]


async def test_a_user_is_added_and_the_link_alone_is_printed(rig):
    added = await kantis("add", "Kari@Eksempel.test", "--name", "Kari", "--role", "marketer", "--language", "nb")  # fmt: skip
    plain = await kantis("add", "ola@eksempel.test", "--json")

    assert (0, 0) == (added.exit_code, plain.exit_code)
    assert 1 == len(added.stdout.splitlines())
    assert (EMAIL, "marketer", "nb", "Kari") == await open_with(rig, added.stdout)
    told = json.loads(plain.stdout)["link"]
    assert ("ola@eksempel.test", "viewer", "en", "ola@eksempel.test") == await open_with(rig, told)
    assert {"command line"} == {by for _, by in await everybody(rig)}


async def test_a_new_link_takes_the_place_of_the_earlier_one(rig):
    first = (await kantis("add", EMAIL)).stdout

    again = await kantis("link", "KARI@eksempel.test")
    as_json = await kantis("link", EMAIL, "--json")

    for earlier in (first, again.stdout):
        with pytest.raises(LinkRefused):
            await open_with(rig, earlier)
    assert EMAIL == (await open_with(rig, json.loads(as_json.stdout)["link"]))[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "nobody"), "email"),
        (("add", EMAIL, "--role", "boss"), "role"),
        (("add", EMAIL, "--role", "till"), "role"),
        (("add", EMAIL, "--language", "xx"), "language"),
        (("link", EMAIL), "kantis user add"),
    ],
)
async def test_what_cannot_be_is_said_and_adds_nobody(rig, words, told):
    refused = await kantis(*words)

    assert 1 == refused.exit_code
    assert told in refused.stderr
    assert "Traceback" not in refused.output
    assert "" == refused.stdout
    assert [] == await everybody(rig)


async def test_an_address_is_taken_once(rig):
    await kantis("add", EMAIL)

    refused = await kantis("add", EMAIL.upper())

    assert 1 == refused.exit_code
    assert "" == refused.stdout
    assert 1 == len(await everybody(rig))


async def test_the_first_link_is_there_until_somebody_is(rig):
    before = await users.first_link(Surroundings.read())

    await kantis("add", EMAIL)

    assert before is not None
    token_of(before)
    assert await users.first_link(Surroundings.read()) is None


class Screen(io.StringIO):
    """What standard error is: a person's screen, or a file."""

    is_watched = False

    def isatty(self):
        return self.is_watched


@pytest.mark.parametrize("is_watched", [True, False])
def test_a_link_that_lets_somebody_in_is_told_at_a_screen_and_written_into_no_log(
    monkeypatch, tmp_path, is_watched
):
    async def first_link(_around):
        return "http://127.0.0.1:8400/console/welcome/secret"

    written = Screen()
    written.is_watched = is_watched
    child = SimpleNamespace(pid=7)
    running = SimpleNamespace(url="http://127.0.0.1:8400", mailbox=False, pid=child.pid)
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(cli.subprocess, "Popen", lambda *_args, **_more: child)
    monkeypatch.setattr(users, "first_link", first_link)
    monkeypatch.setattr(runtime, "read", lambda _folder: running)
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path))

    cli._detach(Surroundings.read(), processes=False)

    assert "http://127.0.0.1:8400/console" in written.getvalue()
    assert is_watched == ("/console/welcome/secret" in written.getvalue())
