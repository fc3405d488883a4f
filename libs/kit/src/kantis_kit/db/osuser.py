"""The operating-system user that PostgreSQL runs as: ourselves, or `pgserver` when we are root.

PostgreSQL refuses to run as root. Nothing is opened to everybody for its sake: where a folder on the way to the data
lets others not pass (as /root), an access control entry lets this one user pass, and it alone.
"""

import os
import pwd
import stat
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kantis_kit.errors import KantisError

USER = "pgserver"

_ACL = "system.posix_acl_access"
_ACL_VERSION = 2
_ENTRY = struct.Struct("<HHI")
_OWNER, _NAMED_USER, _GROUP, _MASK, _OTHERS = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_PASS = 1  # x: go through a folder, without reading what is in it


class UserError(KantisError):
    """PostgreSQL cannot be run as a user of its own."""


@dataclass(frozen=True)
class ServerUser:
    """Who runs PostgreSQL; `drop` is false when that is ourselves."""

    uid: int
    gid: int
    drop: bool

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        if self.drop:
            os.chown(path, self.uid, self.gid)

    def reach(self, path: Path) -> None:
        """Let this user pass every folder above `path`, and nobody else more than before.

        Raises:
            UserError: the file system keeps no access control lists.
        """
        if not self.drop:
            return
        for folder in reversed(path.resolve().parents):
            if not self._passes(folder):
                self._let_pass(folder)

    def _passes(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        entries = _entries(folder)
        mask = next((rights for tag, rights, _ in entries if tag == _MASK), 7)
        for tag, rights, who in entries:
            if tag == _NAMED_USER and who == self.uid:
                return bool(rights & mask & _PASS)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)

    def _let_pass(self, folder: Path) -> None:
        entries = [e for e in _entries(folder) if not (e[0] == _NAMED_USER and e[2] == self.uid)]
        entries.append((_NAMED_USER, _PASS, self.uid))
        mask = next((rights for tag, rights, _ in entries if tag == _MASK), None)
        if mask is None:
            mask = next(rights for tag, rights, _ in entries if tag == _GROUP)
        entries = [entry for entry in entries if entry[0] != _MASK]
        entries.append((_MASK, mask | _PASS, _NO_ID))
        packed = b"".join(_ENTRY.pack(*entry) for entry in sorted(entries, key=_order))
        try:
            os.setxattr(folder, _ACL, struct.pack("<I", _ACL_VERSION) + packed)
        except OSError as error:
            message = (
                f"PostgreSQL runs as the user {USER} when Kantis runs as root, and that user cannot pass {folder} "
                f"({error.strerror}). Run Kantis as an ordinary user, or choose another data folder with "
                "KANTIS_DATA_DIR."
            )
            raise UserError(message) from error


def _order(entry: tuple[int, int, int]) -> tuple[int, int]:
    return entry[0], entry[2]


def _entries(folder: Path) -> list[tuple[int, int, int]]:
    try:
        packed = os.getxattr(folder, _ACL)
    except OSError:  # no list (or a system without them): what the mode says
        mode = folder.stat().st_mode
        return [
            (_OWNER, mode >> 6 & 7, _NO_ID),
            (_GROUP, mode >> 3 & 7, _NO_ID),
            (_OTHERS, mode & 7, _NO_ID),
        ]
    return list(_ENTRY.iter_unpack(packed[4:]))


def server_user() -> ServerUser:
    """Return who runs PostgreSQL; makes the user `pgserver` when we are root and it is not there.

    Raises:
        UserError: the user is not there and cannot be made.
    """
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid(), drop=False)
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        entry = _make_user()
    return ServerUser(entry.pw_uid, entry.pw_gid, drop=True)


def _make_user() -> pwd.struct_passwd:
    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/bin/false",
        USER,
    ]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - fixed
        said = done.stderr.strip()
    except OSError as error:
        said = str(error)
    try:
        return pwd.getpwnam(USER)  # another process may have made it at the same moment
    except KeyError:
        message = (
            f"PostgreSQL refuses to run as root, and the user {USER} could not be made ({said}). "
            f"Run Kantis as an ordinary user, or make a system user called {USER}."
        )
        raise UserError(message) from None
