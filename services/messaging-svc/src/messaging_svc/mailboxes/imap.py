"""A mailbox on an IMAP server, one call at a time; for a thread, since the library waits.

Source: RFC 3501, RFC 6851 (MOVE), RFC 4315 (UID EXPUNGE), 2026-11.
"""

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from kantis_kit.errors import KantisError

_PART_BYTES = 1 << 20
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class MailboxAway(KantisError):
    """The server cannot be reached, or does not do what it must."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a mailbox is, and how one gets in."""

    host: str
    port: int
    tls: Literal["none", "starttls", "implicit"]
    user: str
    folder: str
    done_folder: str = ""
    timeout_seconds: float = 30.0
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """The name under which its mails are remembered."""
        return f"{self.user}@{self.host}/{self.folder}"


class Mailbox:
    """A mailbox, open between `open` and `close`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._made: imaplib.IMAP4 | None = None
        self.uid_validity = 0

    def open(self) -> None:
        """Connect, sign in, and choose the folder.

        Raises:
            MailboxAway: that did not work.
        """
        with _told():
            self._made = _connected(self._account)
            self._imap.login(self._account.user, self._account.password)
            self._ok(self._imap.select(f'"{self._account.folder}"'))
        self.uid_validity = self._validity()

    @property
    def _imap(self) -> imaplib.IMAP4:
        if self._made is None:
            raise MailboxAway("the mailbox is not open")
        return self._made

    def unread(self) -> list[int]:
        """Return the numbers of mails that nobody has read, the oldest first."""
        with _told():
            found = self._ok(self._imap.uid("SEARCH", "UNSEEN"))
        return sorted(int(one) for part in found if part for one in part.split())

    def size(self, uid: int) -> int:
        """Return how many bytes a mail has; 0 when it has gone."""
        with _told():
            for part in self._ok(self._imap.uid("FETCH", str(uid), "(RFC822.SIZE)")):
                found = _SIZE.search(part) if isinstance(part, bytes) else None
                if found:
                    return int(found[1])
        return 0

    def parts(self, uid: int, *, limit: int) -> Iterator[bytes]:
        """Return a mail part by part, up to a limit, without marking it."""
        at = 0
        while at < limit:
            wanted = min(_PART_BYTES, limit - at)
            with _told():
                answer = self._ok(
                    self._imap.uid("FETCH", str(uid), f"(BODY.PEEK[]<{at}.{wanted}>)")
                )
            part = next((one[1] for one in answer if isinstance(one, tuple)), b"")[:wanted]
            if part:
                yield part
            at += len(part)
            if len(part) < wanted:
                return

    def finish(self, uid: int) -> None:
        """Mark a mail as read, and move it where such mails go."""
        number, folder = str(uid), f'"{self._account.done_folder}"'
        with _told():
            self._ok(self._imap.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)"))
            if not self._account.done_folder:
                return
            if "MOVE" in self._imap.capabilities:
                self._ok(self._imap.uid("MOVE", number, folder))
                return
            self._ok(self._imap.uid("COPY", number, folder))
            self._ok(self._imap.uid("STORE", number, "+FLAGS.SILENT", r"(\Deleted)"))
            if "UIDPLUS" in self._imap.capabilities:
                self._ok(self._imap.uid("EXPUNGE", number))

    def leave(self) -> None:
        """Say goodbye."""
        with _told():
            self._imap.logout()

    def wake(self) -> None:
        """End whatever a thread waits for, from another one."""
        if self._made is not None:
            with contextlib.suppress(OSError):
                self._made.socket().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Drop the connection; no thread may be using it."""
        made, self._made = self._made, None
        if made is not None:
            with contextlib.suppress(OSError):
                made.shutdown()

    def _validity(self) -> int:
        _, values = self._imap.response("UIDVALIDITY")
        if not values or not isinstance(values[0], bytes) or not values[0].isdigit():
            raise MailboxAway("the server does not say UIDVALIDITY: mails could not be told apart")
        return int(values[0])

    @staticmethod
    def _ok(
        answer: tuple[str, Any],
    ) -> list[Any]:  # bytes, pairs of bytes, or None: as the server has sent it
        kind = answer[0]
        parts: list[Any] = answer[1]
        if kind != "OK":
            raise MailboxAway(str(parts[:1])[:200])
        return parts


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Have every way in which the library fails be one."""
    try:
        yield
    except (OSError, imaplib.IMAP4.error, UnicodeError) as error:
        raise MailboxAway(f"{type(error).__name__}: {str(error)[:200]}") from error


def _connected(account: Account) -> imaplib.IMAP4:
    timeout = account.timeout_seconds
    if account.tls == "implicit":
        return imaplib.IMAP4_SSL(
            account.host, account.port, ssl_context=ssl.create_default_context(), timeout=timeout
        )
    imap = imaplib.IMAP4(account.host, account.port, timeout=timeout)
    if account.tls == "starttls":
        try:
            imap.starttls(ssl.create_default_context())
        except BaseException:
            imap.shutdown()
            raise
    return imap
