"""Caught mails in one SQLite file; a mail is in the file before its sender hears 250."""

import asyncio
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path

KEEP = 50_000
"""The mailbox is for looking at, not for keeping: the oldest mails beyond this number are dropped."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mail (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL,
    content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS mail_recipient ON mail (recipient, id);
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One caught mail, as listed."""

    id: int
    received_at: str
    sender: str
    recipient: str
    subject: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail on its way into the store."""

    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    content: bytes


class MailStore:
    """The file and the thread that writes it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._db = sqlite3.connect(folder / "mailbox.sqlite", check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        # The system has the page after each commit: a killed process loses nothing, a power cut may.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self._lock = asyncio.Lock()

    async def add(self, arrivals: Sequence[Arrival]) -> None:
        """Write mails in one transaction."""
        async with self._lock:
            await asyncio.to_thread(self._add, arrivals)

    def _add(self, arrivals: Sequence[Arrival]) -> None:
        parser = BytesHeaderParser(policy=policy.default)
        rows = []
        for arrival in arrivals:
            headers = parser.parsebytes(arrival.content)
            packed = zlib.compress(arrival.content, 1)
            rows += [
                (
                    arrival.received_at.isoformat(),
                    arrival.sender,
                    recipient.lower(),
                    str(headers.get("subject", "")),
                    str(headers.get("message-id", "")).strip(),
                    packed,
                )
                for recipient in arrival.recipients
            ]
        with self._db:
            self._db.executemany(
                "INSERT INTO mail (received_at, sender, recipient, subject, message_id, content)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._db.execute("DELETE FROM mail WHERE id <= (SELECT max(id) FROM mail) - ?", (KEEP,))

    async def find(
        self, *, recipient: str = "", before: int | None = None, limit: int = 50
    ) -> list[Mail]:
        """Return mails, the newest first; `recipient` matches a part of the address."""
        async with self._lock:
            return await asyncio.to_thread(self._find, recipient, before, limit)

    def _find(self, recipient: str, before: int | None, limit: int) -> list[Mail]:
        rows = self._db.execute(
            "SELECT id, received_at, sender, recipient, subject, message_id FROM mail"
            " WHERE instr(recipient, ?) > 0 AND id < ? ORDER BY id DESC LIMIT ?",
            (recipient.lower(), before or 2**62, limit),
        )
        return [Mail(*row) for row in rows]

    async def count(self) -> int:
        """Return how many mails are kept."""
        async with self._lock:
            row = await asyncio.to_thread(self._db.execute, "SELECT count(*) FROM mail")
            return int(row.fetchone()[0])

    async def get(self, mail_id: int) -> tuple[Mail, EmailMessage] | None:
        """Return one mail, parsed, or None."""
        async with self._lock:
            return await asyncio.to_thread(self._get, mail_id)

    def _get(self, mail_id: int) -> tuple[Mail, EmailMessage] | None:
        row = self._db.execute(
            "SELECT id, received_at, sender, recipient, subject, message_id, content FROM mail WHERE id = ?",
            (mail_id,),
        ).fetchone()
        if row is None:
            return None
        parsed = BytesParser(policy=policy.default).parsebytes(zlib.decompress(row[6]))
        return Mail(*row[:6]), parsed

    def close(self) -> None:
        """Close the file."""
        self._db.close()
