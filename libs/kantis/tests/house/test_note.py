"""The note of a running installation holds for its own process, not for whoever has its number later."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from kantis import runtime
from kantis.cli import app
from kantis.runtime import Running, birth_of


@pytest.fixture
def note():
    return Running(url="http://x", pid=os.getpid(), dsns={}, born=birth_of(os.getpid()))


def test_a_note_of_a_living_process_is_read(note, tmp_path):
    note.write(tmp_path)

    assert note == runtime.read(tmp_path)
    assert 0o600 == (tmp_path / runtime.FILE).stat().st_mode & 0o777


def test_a_note_whose_number_a_stranger_has_by_now_is_none(note, tmp_path):
    replace(note, born="another start of the machine 1").write(tmp_path)

    assert runtime.read(tmp_path) is None


def test_nobody_is_stopped_in_the_place_of_an_installation_that_is_gone(
    note, tmp_path, monkeypatch
):
    monkeypatch.setenv("KANTIS_DATA_DIR", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        replace(note, pid=stranger.pid).write(tmp_path)
        told = CliRunner().invoke(app, ["stop"])
        assert stranger.poll() is None
        stranger.communicate(b"\n")

    assert "Nothing runs" in told.stderr


def test_a_process_that_waits_to_be_collected_is_gone(note, tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        mine = replace(note, pid=child.pid, born=birth_of(child.pid))
        mine.write(tmp_path)
        assert mine == runtime.read(tmp_path)
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

        assert runtime.read(tmp_path) is None
    assert "" == birth_of(child.pid)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}'])
def test_what_is_no_note_is_none(tmp_path, text):
    (tmp_path / runtime.FILE).write_text(text, encoding="utf-8")

    assert runtime.read(tmp_path) is None
