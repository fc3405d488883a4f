"""A launch's mail, compiled once: what its recipients share is in its form on the wire already, each mail is one join.

The general path (`Compiled.render` and `mime.build`) says what a mail holds; this one gives the same decoded content where
the personal parts of a template are plain fields. What is the same for the whole launch (company, offer) is filled in
by the engine itself, conditions on it included. Anything else is left to the general path: `compile_mail` returns None.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from kantis_contracts.values import Language
from messaging_svc.dispatch.mime import BOUNDARY, Letterhead, encoded, header_value, quoted
from messaging_svc.templates.compiling import CONTROL
from messaging_svc.templates.engine import MAX_OUTPUT_CHARS, TAG
from messaging_svc.templates.errors import CannotRender
from messaging_svc.templates.rendering import Compiled
from messaging_svc.wire.quoted import encode, encode_value

_PLAIN_FIELD = re.compile(r"\{\{\s*(\w+)\s*(?:\|\s*safe\s*)?\}\}")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
_CONDITIONS = frozenset({"if", "elif", "else", "endif", "and", "or", "not"})
_FILTERS = frozenset({"upper", "lower", "capitalize", "title", "trim", "default", "safe"})
_MARK = "\ue000"  # of the private use area: a template that holds it takes the general path
_SLOT = re.compile(f"{_MARK}(\\w+)(<|&lt;)")
_REFERENCES = (
    ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;"), ("/", "&#x2f;"),
)  # fmt: skip
_SOFT_BREAK = "=\r\n"


@dataclass(frozen=True, slots=True)
class _Slot:
    field: str
    is_escaped: bool
    is_token: bool
    """Its value has only signs that stand in a mail as they are."""


def escaped(value: str) -> str:
    """Escape as the engine does in HTML."""
    for sign, reference in _REFERENCES:
        if sign in value:
            value = value.replace(sign, reference)
    return value


def compile_mail(
    head: Letterhead,
    compiled: Compiled,
    language: Language,
    *,
    personal: Collection[str],
    heads: Mapping[str, str],
    shared: Mapping[str, str],
    list_name: str | None,
) -> "CompiledMail | None":
    """Return the mail of a launch, or None when its template needs the engine for each recipient.

    Args:
        head: the sender.
        compiled: the version of the template.
        language: one that the version has.
        personal: the names of the fields of a recipient.
        heads: how some of them begin for everybody; what follows is a token (`wire.quoted.is_token`), and only that is
            given for each mail.
        shared: the fields that are the same for all recipients.
        list_name: what the mail is sent under; None for mail that is no marketing.
    """
    source = compiled.source(language)
    texts = (source.subject, source.html, source.text)
    if not all(_is_plain(text, personal, shared.keys()) for text in texts):
        return None
    if _MARK in "".join((*texts, *shared.values(), *heads.values())):
        return None
    marks: dict[str, str] = {name: f"{_MARK}{name}<" for name in personal}
    try:
        content = compiled.render(language, marks | dict(shared))
    except CannotRender:
        return None  # the general path says so for each recipient
    return CompiledMail(
        head,
        language,
        subject=_pieces(content.subject, heads),
        text=_pieces(content.text, heads),
        html=_pieces(content.html, heads),
        list_name=list_name,
    )


def _is_plain(text: str, personal: Collection[str], shared: Collection[str]) -> bool:
    """Say whether personal fields are only printed, as they are, and only shared ones decide on anything."""
    for tag in TAG.findall(text):
        plain = _PLAIN_FIELD.fullmatch(tag)
        if plain is not None and (plain[1] in personal or plain[1] in shared):
            continue
        for name in _NAME.findall(_STRING.sub("", tag[2:-2])):
            if name not in shared and name not in _CONDITIONS and name not in _FILTERS:
                return False
    return True


def _pieces(text: str, heads: Mapping[str, str]) -> list[str | _Slot]:
    pieces: list[str | _Slot] = []
    end = 0
    for match in _SLOT.finditer(text):
        slot = _Slot(match[1], match[2] != "<", match[1] in heads)
        head = heads.get(slot.field, "")
        pieces += [text[end : match.start()] + (escaped(head) if slot.is_escaped else head), slot]
        end = match.end()
    return [piece for piece in (*pieces, text[end:]) if piece]


class CompiledMail:
    """The mails of a version in one language for one launch."""

    def __init__(
        self,
        head: Letterhead,
        language: Language,
        *,
        subject: Sequence[str | _Slot],
        text: Sequence[str | _Slot],
        html: Sequence[str | _Slot],
        list_name: str | None,
    ) -> None:
        self._subject = subject
        self._is_marketing = list_name is not None
        self._first = f"From: {quoted(head.name)} <{header_value('From', head.address)}>\r\nTo: <"
        self._last = f"Content-Language: {language.value}\r\n" + (
            "Auto-Submitted: auto-generated\r\n"
            if list_name is None
            else "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
            f"List-Id: <{header_value('List-Id', list_name)}.{head.domain}>\r\nPrecedence: bulk\r\n"
        )
        self._last += f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n\r\n'
        self._frame: list[str] = [""]
        self._slots: list[_Slot] = []
        self._places: list[tuple[int, int]] = []
        self.fields = frozenset(p.field for p in (*subject, *text, *html) if isinstance(p, _Slot))
        self._add_part("plain", text)
        self._add_part("html", html)
        self._frame.append(f"--{BOUNDARY}--\r\n")
        self._room = MAX_OUTPUT_CHARS - sum(len(p) for p in (*text, *html) if isinstance(p, str))

    def _add_part(self, kind: str, pieces: Sequence[str | _Slot]) -> None:
        self._frame.append(
            f"--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        )
        for piece in pieces:
            if isinstance(piece, str):
                self._frame.append(encode(piece).decode())
                continue
            if piece not in self._slots:
                self._slots.append(piece)
            self._places.append((len(self._frame), self._slots.index(piece)))
            self._frame.append("")
        self._frame.append("\r\n")

    def write(
        self,
        fields: Mapping[str, str],
        *,
        to: str,
        message_id: str,
        key: str,
        at: datetime,
        unsubscribe_url: str,
        reply_to: str = "",
    ) -> bytes:
        """Return the whole mail, ready for DATA.

        Raises:
            CannotRender: a field is missing, too long, or would break the subject.
            BadHeader: a value would break its header.
        """
        header_value("To, Message-ID", f"{to} {message_id} {key} {unsubscribe_url} {reply_to}")
        values = []
        try:
            subject = "".join(
                [one if isinstance(one, str) else fields[one.field] for one in self._subject]
            )
            for slot in self._slots:
                value = fields[slot.field]
                if slot.is_token:
                    values.append(value + _SOFT_BREAK)
                else:
                    value = escaped(value) if slot.is_escaped else value
                    values.append(encode_value(value).decode())
        except KeyError as error:
            raise CannotRender(f"the field {error.args[0]} is missing") from error
        if sum(map(len, values)) > self._room:
            raise CannotRender(f"the text has more than {MAX_OUTPUT_CHARS} characters")
        parts = self._frame.copy()
        for place, index in self._places:
            parts[place] = values[index]
        back = f"Reply-To: <{reply_to}>\r\n" if reply_to else ""
        off = f"List-Unsubscribe: <{unsubscribe_url}>\r\n" if self._is_marketing else ""
        parts[0] = (
            f"{self._first}{to}>\r\nSubject: {_subject(subject.strip())}\r\n"
            f"Date: {_date(at.replace(microsecond=0))}\r\nMessage-ID: {message_id}\r\n"
            f"X-Kantis-Dispatch: {key}\r\n{back}{off}{self._last}"
        )
        return "".join(parts).encode()


@lru_cache(maxsize=4_096)
def _subject(text: str) -> str:
    if CONTROL.search(text):
        raise CannotRender("subject: a field holds a line break or another control character")
    return encoded("Subject", text)


@lru_cache(maxsize=8)
def _date(at: datetime) -> str:
    return format_datetime(at)
