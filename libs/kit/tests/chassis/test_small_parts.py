"""Settings, fail-points, the frozen clock, paging."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from kantis_contracts.values import Language
from kantis_kit import failpoints
from kantis_kit.clock import FrozenClock
from kantis_kit.csv_rows import quoted, unquoted
from kantis_kit.db.database import is_away
from kantis_kit.errors import Invalid
from kantis_kit.failpoints import FailPointHit
from kantis_kit.settings import ServiceSettings
from kantis_kit.web import downloads
from kantis_kit.web.languages import preferred_language
from kantis_kit.web.paging import decode_cursor, encode_cursor, id_after, moment, read_cursor
from kantis_kit.web.schemas import In


@pytest.fixture(autouse=True)
def _disarm():
    yield
    failpoints.disarm_all()


def test_a_secret_may_stand_in_a_file(tmp_path, monkeypatch):
    (tmp_path / "dsn").write_text("postgresql://from-file\n", encoding="utf-8")
    monkeypatch.setenv("KANTIS_POSTGRES_DSN_FILE", str(tmp_path / "dsn"))
    monkeypatch.setenv("KANTIS_POSTGRES_DSN", "postgresql://from-environment")

    assert "postgresql://from-file" == ServiceSettings().postgres_dsn.get_secret_value()


def test_an_explicit_value_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("KANTIS_POSTGRES_DSN", "postgresql://from-environment")

    assert "x" == ServiceSettings(postgres_dsn=SecretStr("x")).postgres_dsn.get_secret_value()


def test_secrets_are_not_shown():
    assert "hunter2" not in repr(
        ServiceSettings(postgres_dsn=SecretStr("hunter2"), link_keys=SecretStr("hunter2"))
    )


async def test_a_fail_point_fires_on_the_passage_that_was_asked_for():
    failpoints.load("a.b:raise@2, c.d:raise")

    await failpoints.reach("a.b")
    with pytest.raises(FailPointHit):
        await failpoints.reach("a.b")
    await failpoints.reach("a.b")
    with pytest.raises(FailPointHit):
        await failpoints.reach("c.d")
    await failpoints.reach("unarmed")


async def test_sleeping_on_a_frozen_clock_ends_when_it_is_moved_far_enough():
    clock = FrozenClock()
    sleeping = asyncio.ensure_future(clock.sleep(60))
    await asyncio.sleep(0)
    clock.advance(timedelta(seconds=59))
    await asyncio.sleep(0)
    assert not sleeping.done()
    clock.advance(timedelta(seconds=1))
    await sleeping


STORABLE = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))


@given(st.lists(st.one_of(STORABLE, st.integers(-(2**53), 2**53)), min_size=1, max_size=4))
def test_a_cursor_gives_back_its_keys(keys):
    assert keys == decode_cursor(encode_cursor(*keys), len(keys))


@given(st.text(max_size=40))
def test_a_made_up_cursor_is_refused_never_a_failure(text):
    with contextlib.suppress(Invalid):
        decode_cursor(text, 2)


class Nested(In):
    """A body with depth."""

    words: list[dict[str, str]]


@pytest.mark.parametrize("body", [{"words": [{"a": "b\x00"}]}, {"words": [{"a\x00": "b"}]}])
def test_a_nul_is_found_however_deep(body):
    with pytest.raises(ValueError, match="NUL"):
        Nested.model_validate(body)


@pytest.mark.parametrize(
    "keys",
    [
        ("x", "y"),
        ("2026-01-01T00:00:00", str(UUID(int=1))),
        ("0001-01-01T00:00:00+14:00", str(UUID(int=1))),
        ("2026-01-01T00:00:00+00:00", 5),
        (None, None),
        ("2026-01-01T00:00:00+00:00\x00", str(UUID(int=1))),
    ],
)
def test_a_cursor_with_other_keys_than_the_list_has_is_refused(keys):
    with pytest.raises(Invalid, match="cursor"):
        read_cursor(encode_cursor(*keys), moment, UUID)


def test_a_cursor_names_the_id_after_which_the_next_page_begins():
    assert UUID(int=7) == id_after(encode_cursor(UUID(int=7)))
    assert id_after(None) is None
    for keys in (["x"], [7], [None], [str(UUID(int=7)), "more"]):
        with pytest.raises(Invalid, match="cursor"):
            id_after(encode_cursor(*keys))


def test_a_cursor_names_a_place_in_utc():
    at = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=1)))

    keys = read_cursor(encode_cursor(at, UUID(int=1)), moment, UUID)

    assert [at.astimezone(UTC), UUID(int=1)] == keys
    assert read_cursor(None, UUID) is None


def test_a_missing_file_is_no_sign_of_a_missing_database():
    assert not is_away(FileNotFoundError(2, "No such file", "imports/x.csv"))
    assert is_away(
        FileNotFoundError(2, "No such file or directory")
    )  # what a missing socket raises
    assert is_away(ConnectionRefusedError(111, "refused"))


@given(st.text(max_size=30) | st.text("=+-@|%\t\r\n\0'a", max_size=3))
def test_a_cell_is_never_a_formula_and_comes_back_as_it_was(cell):
    assert not quoted(cell).startswith(tuple("=+-@|%\t\r\n\0"))
    if not cell.startswith("'"):
        assert cell == unquoted(quoted(cell))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        (";;,,", "en"),
        ("de-AT, *", "en"),
        ("no", "nb"),
        ("nn-NO,en;q=0.5", "nb"),
        ("nb_NO", "nb"),
        ("FI", "fi"),
        ("de, fi;q=0.4, sv;q=0.8", "sv"),
        ("fi; q=0.4, sv; q=0.8", "sv"),
        ("sv;q=0, da;q=0.1", "da"),
        ("fi;q=x, da", "da"),
        ("fi;q=nan, da", "da"),
    ],
)
def test_a_page_speaks_the_language_that_the_browser_prefers(header, language):
    assert language == preferred_language(header, list(Language), Language.EN).value


def test_a_language_that_is_not_offered_is_not_chosen():
    offered = [Language.SV, Language.FI]

    assert Language.FI == preferred_language("nn, da;q=0.9, fi;q=0.1", offered, Language.SV)
    assert Language.SV == preferred_language("nn", offered, Language.SV)


async def test_a_download_of_many_lines_is_written_in_few_parts_and_whole(monkeypatch):
    written = []

    async def write_here(write, part):
        written.append(len(part))
        write(part)

    async def lines():
        for number in range(30_000):
            yield b"%0100d" % number

    monkeypatch.setattr(downloads, "run_in_threadpool", write_here)
    answer = await downloads.spooled(lines(), media_type="text/plain", filename="lines.txt")
    monkeypatch.undo()
    content = b"".join([part async for part in answer.body_iterator])
    await answer.background()

    assert b"".join([b"%0100d" % number for number in range(30_000)]) == content
    assert 3 == len(written)
