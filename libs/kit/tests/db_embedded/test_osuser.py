"""When PostgreSQL runs as a user of its own, that user may pass the folders above the data, and nobody else."""

import os
import stat

import pytest

from kantis_kit.db import osuser
from kantis_kit.db.osuser import ServerUser, UserError, server_user

STRANGER = 61234


@pytest.fixture
def closed(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    (folder / "data").mkdir(mode=0o700)
    return folder


def test_one_user_may_pass_a_closed_folder_and_others_still_may_not(closed):
    user = ServerUser(STRANGER, STRANGER, drop=True)
    assert not user._passes(closed)

    user.reach(closed / "data")

    assert user._passes(closed)
    assert not ServerUser(STRANGER + 1, STRANGER + 1, drop=True)._passes(closed)
    assert not stat.S_IMODE(closed.stat().st_mode) & 0o067
    assert not user._passes(closed / "data")


def test_a_second_time_changes_nothing(closed):
    user = ServerUser(STRANGER, STRANGER, drop=True)
    user.reach(closed / "data")
    once = os.getxattr(closed, "system.posix_acl_access")

    user.reach(closed / "data")

    assert once == os.getxattr(closed, "system.posix_acl_access")


def test_a_folder_that_lets_everybody_pass_is_left_alone(closed):
    closed.chmod(0o711)

    ServerUser(STRANGER, STRANGER, drop=True).reach(closed / "data")

    assert "system.posix_acl_access" not in os.listxattr(closed)


def test_an_ordinary_user_changes_nothing(closed):
    ServerUser(os.geteuid(), os.getegid(), drop=False).reach(closed / "data")

    assert "system.posix_acl_access" not in os.listxattr(closed)


def test_a_file_system_without_such_lists_is_told(closed, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)

    with pytest.raises(UserError, match=r"cannot pass .*KANTIS_DATA_DIR"):
        ServerUser(STRANGER, STRANGER, drop=True).reach(closed / "data")


def test_an_ordinary_user_runs_the_server_itself(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert server_user().drop is False


def test_a_user_that_cannot_be_made_is_told(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(osuser, "USER", "kantis-nobody")
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UserError, match="make a system user called kantis-nobody"):
        server_user()
