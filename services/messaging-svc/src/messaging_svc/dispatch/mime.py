"""A mail as bytes on the wire: our own headers, checked by us, and base64 parts.

Python's own header check is missing in releases that we support (3.11.7), so no value reaches a header unchecked.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import cached_property

from kantis_kit.errors import KantisError
from messaging_svc.templates.compiling import CONTROL
from messaging_svc.templates.rendering import Rendered

_WORD_BYTES = 42
_PLAIN_LINE = 60
BOUNDARY = "=_kantis_a7f3c91be2"
"""An underscore after = is in no base64 text, and in no quoted-printable one."""


class BadHeader(KantisError):
    """A value that would end its header line or begin another."""


@dataclass(frozen=True)
class Letterhead:
    """What all mails of an installation share; taken apart once, not per mail."""

    mail_from: str
    company: str

    @cached_property
    def name(self) -> str:
        """The sender's name."""
        return parseaddr(self.mail_from)[0] or self.company

    @cached_property
    def address(self) -> str:
        """The sender's address, to which bounces go."""
        return parseaddr(self.mail_from)[1]

    @cached_property
    def domain(self) -> str:
        """The domain of message ids and list ids."""
        return self.address.rpartition("@")[2] or "kantis.invalid"


@dataclass(frozen=True, slots=True)
class Marketing:
    """The headers by which a mail program offers to unsubscribe."""

    unsubscribe_url: str
    list_name: str


@dataclass(frozen=True, slots=True)
class Thread:
    """Where the answer of a person stands: behind these mails, by their Message-IDs, the oldest first."""

    references: tuple[str, ...]

    def headers(self) -> list[str]:
        """Return the headers by which mail programs show it beside what it answers (RFC 5322, 3.6.4)."""
        if not self.references:
            return []
        known = [header_value("References", one) for one in self.references]
        return [f"In-Reply-To: {known[-1]}", "References: " + "\r\n ".join(known)]


def header_value(name: str, value: str) -> str:
    """Return the value when it may stand in a header.

    Raises:
        BadHeader: it holds CR, LF, NUL, another control character or a Unicode line end.
    """
    if CONTROL.search(value):
        raise BadHeader(f"{name}: a line break or another control character")
    return value


def encoded(name: str, value: str) -> str:
    """Return a text for a header: as it is, or as encoded words (RFC 2047), folded."""
    header_value(name, value)
    if value.isascii() and len(value) <= _PLAIN_LINE and "=?" not in value:
        return value
    whole = value.encode()
    if len(whole) <= _WORD_BYTES:
        return f"=?utf-8?b?{base64.b64encode(whole).decode()}?="
    words, current = [], b""
    for sign in value:
        raw = sign.encode()
        if len(current) + len(raw) > _WORD_BYTES:
            words.append(current)
            current = b""
        current += raw
    words.append(current)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words)


def quoted(name: str) -> str:
    """Return a sender's name as a header carries it."""
    if name.isascii() and "=?" not in name:
        escaped = header_value("From", name).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return encoded("From", name)


def _part(kind: str, text: str) -> bytes:
    head = (
        f"--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")


def build(
    head: Letterhead,
    *,
    to: str,
    message_id: str,
    key: str,
    at: datetime,
    content: Rendered,
    language: str,
    marketing: Marketing | None,
    reply_to: str = "",
    thread: Thread | None = None,
) -> bytes:
    """Return the whole mail, ready for DATA.

    Raises:
        BadHeader: a value would break its header.
    """
    lines = [
        f"From: {quoted(head.name)} <{header_value('From', head.address)}>",
        f"To: <{header_value('To', to)}>",
        f"Subject: {encoded('Subject', content.subject)}",
        f"Date: {format_datetime(at)}",
        f"Message-ID: {header_value('Message-ID', message_id)}",
        f"X-Kantis-Dispatch: {header_value('X-Kantis-Dispatch', key)}",
        f"Content-Language: {language}",
    ]
    if reply_to:
        lines.append(f"Reply-To: <{header_value('Reply-To', reply_to)}>")
    if thread is not None:
        lines += thread.headers()
    elif marketing is None:
        lines.append("Auto-Submitted: auto-generated")
    else:
        lines += [
            f"List-Unsubscribe: <{header_value('List-Unsubscribe', marketing.unsubscribe_url)}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            f"List-Id: <{header_value('List-Id', marketing.list_name)}.{head.domain}>",
            "Precedence: bulk",
        ]
    lines += [
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"',
        "",
        "",
    ]
    # No line of this can begin with a dot: headers begin with their name or a space, base64 has no dots.
    return b"".join(
        ("\r\n".join(lines).encode(), _part("plain", content.text), _part("html", content.html),
         f"--{BOUNDARY}--\r\n".encode())
    )  # fmt: skip
