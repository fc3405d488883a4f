"""Read a mail that somebody wrote to us: who, what, and what came with it; and whether a machine wrote it.

Whatever comes is read in bounded time and memory: of a mail that is too large, the beginning.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.utils import getaddresses, parseaddr
from typing import Literal

import nh3

from kantis_contracts.values import Language
from messaging_svc.bounces.parsing import (
    MOST_PARTS,
    ROBOT,
    decoded,
    header_of,
    is_absence,
    mail_from_bytes,
    parts_inside,
    words_in,
)
from messaging_svc.conversations.model import Attachment
from messaging_svc.templates.plain import plain_text

MOST_BYTES = 15 * 1024 * 1024
"""Of a larger mail the beginning is read, and none of its attachments is kept."""
HEAD_BYTES = 1 << 20
MOST_TEXT = 50_000
MOST_FILES = 10
MOST_FILE_BYTES = 5 * 1024 * 1024
_MOST_HTML = 1 << 18
_MOST_REFERENCES = 50
_KEPT = frozenset(
    {
        "application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "image/heic", "text/plain", "text/csv",
        "application/rtf", "application/msword", "application/vnd.ms-excel", "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)  # fmt: skip
"""Kinds of attachments that people send and that can be looked at; no programs, no pages, no archives."""
_LAYOUT = {
    "p",
    "br",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "td",
    "table",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
}
_UNSEEN = {"script", "style", "head", "title", "template"}
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_NAME = re.compile(r"<[^<>\s]{1,250}>")
_ADDRESSED = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
_OUR_HEADER = "X-Kantis-Dispatch"
_PATH = re.compile(r".*[/\\]")

Author = Literal["person", "machine", "own", "nobody"]


@dataclass(frozen=True, slots=True)
class Posted:
    """A mail, as far as a person reads it."""

    author: Author
    name: str = ""
    email: str = ""
    subject: str = ""
    text: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()
    """Names of the mails that it answers."""
    addressed: str = ""
    """Where it was sent, all addresses."""
    language: Language | None = None
    files: tuple[Attachment, ...] = ()


class Whole:
    """A mail that comes in parts."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._digest = hashlib.blake2b(digest_size=16)
        self.is_cut = False

    def feed(self, part: bytes) -> None:
        """Take the next part."""
        self._digest.update(part)
        if self.is_cut:
            return
        self._data += part
        if len(self._data) > MOST_BYTES:
            self.is_cut = True
            del self._data[HEAD_BYTES:]

    @property
    def name(self) -> str:
        """Return what makes the same mail the same when it comes again."""
        return self._digest.hexdigest()

    @property
    def data(self) -> bytes:
        """Return what is read of it."""
        return bytes(self._data)


def read_mail(whole: Whole, *, ours: Sequence[str]) -> Posted:
    """Read a mail; `ours` are addresses of our own, from which no person writes."""
    mail = mail_from_bytes(whole.data)
    shown, address = parseaddr(decoded(header_of(mail, "From")))
    if not mail.keys() or "@" not in address:
        return Posted("nobody")
    if _is_own(mail, address, ours):
        return Posted("own", email=address[:254])
    if _is_by_machine(mail):
        return Posted("machine", email=address[:254])
    text, html, attached = _contents(mail)
    message_id = next(
        iter(_NAME.findall(header_of(mail, "Message-ID"))), f"<{whole.name}@none.invalid>"
    )
    return Posted(
        "person",
        name=_clean(shown)[:200],
        email=_clean(address)[:254],
        subject=_clean(decoded(header_of(mail, "Subject")))[:300],
        text=(text or _words_of_page(html) or "").strip()[:MOST_TEXT],
        message_id=message_id,
        references=_references(mail),
        addressed=" ".join(
            address
            for name in _ADDRESSED
            for _, address in getaddresses(
                [str(one) for one in mail.get_all(name, [])][:_MOST_REFERENCES]
            )
        )[:4_000],
        language=_language(mail),
        files=tuple(_files(attached, is_cut=whole.is_cut)),
    )


def _is_own(mail: Message, address: str, ours: Sequence[str]) -> bool:
    local, _, domain = address.casefold().rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    return plain in {one.casefold() for one in ours} or mail.get(_OUR_HEADER) is not None


def _is_by_machine(mail: Message) -> bool:
    submitted = header_of(mail, "Auto-Submitted").casefold()
    return (
        submitted not in ("", "no")
        or header_of(mail, "Precedence").casefold() in _BULK
        or any(
            mail.get(name) is not None for name in ("List-Id", "List-Unsubscribe", "Feedback-ID")
        )
        or mail.get_content_type() in ("multipart/report", "message/feedback-report")
        or bool(ROBOT.search(f"{header_of(mail, 'From')} {header_of(mail, 'Return-Path')}"))
        or is_absence(mail)
    )


def _contents(mail: Message) -> tuple[str, str, list[Message]]:
    """Return the words, the page, and what is attached; the first of each that is shown, however deep it stands."""
    text, html, attached = "", "", []
    waiting, seen = [mail], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        kind = part.get_content_type()
        if kind == "message/rfc822":
            attached.append(part)
        elif part.is_multipart():
            waiting = parts_inside(part) + waiting
        elif part.get_filename() or part.get_content_disposition() == "attachment":
            attached.append(part)
        elif kind == "text/plain" and not text:
            text = words_in(part).replace("\x00", "").replace("\r\n", "\n")
        elif kind == "text/html" and not html:
            html = words_in(part).replace("\x00", "")
        elif not kind.startswith("text/"):
            attached.append(part)
    return text, html, attached


def _words_of_page(html: str) -> str:
    """Return what stands on a page, without anything that acts and without what is not seen."""
    plain = nh3.clean(html[:_MOST_HTML], tags=_LAYOUT, attributes={}, clean_content_tags=_UNSEEN)
    return plain_text(plain)


def _files(attached: Sequence[Message], *, is_cut: bool) -> Iterator[Attachment]:
    for position, part in enumerate(attached):
        kind = part.get_content_type()
        content = _content(part)
        name = _file_name(part, position)
        refused = _why_not(kind, len(content), position, is_cut=is_cut)
        yield Attachment(name, kind[:100], len(content), b"" if refused else content, refused)


def _why_not(kind: str, size_bytes: int, position: int, *, is_cut: bool) -> str:
    if is_cut:
        return f"the mail is larger than {MOST_BYTES // 1024 // 1024} MB"
    if kind not in _KEPT:
        return "files of this kind are not kept"
    if position >= MOST_FILES:
        return f"more than {MOST_FILES} files"
    if size_bytes > MOST_FILE_BYTES:
        return f"larger than {MOST_FILE_BYTES // 1024 // 1024} MB"
    return "" if size_bytes else "it is empty"


def _content(part: Message) -> bytes:
    try:
        raw = part.get_payload(decode=True)
    except (ValueError, LookupError):
        return b""
    return raw if isinstance(raw, bytes) else b""


def _file_name(part: Message, position: int) -> str:
    try:
        given = part.get_filename() or ""
    except (ValueError, LookupError):
        given = ""
    return _PATH.sub("", _clean(decoded(given)))[-120:] or f"attachment-{position + 1}"


def _references(mail: Message) -> tuple[str, ...]:
    told = f"{header_of(mail, 'References')} {header_of(mail, 'In-Reply-To')}"
    return tuple(dict.fromkeys(_NAME.findall(told)[-_MOST_REFERENCES:]))


def _language(mail: Message) -> Language | None:
    told = header_of(mail, "Content-Language").casefold()[:2]
    return Language("nb" if told in ("no", "nn") else told) if told in _LANGUAGES else None


_LANGUAGES = frozenset({*(one.value for one in Language), "no", "nn"})


def _clean(text: str) -> str:
    """Return a text on one line, without signs that are not seen."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
