"""Read a mail that came back: reports (RFC 3464), complaints (RFC 5965), absences, and what servers write in their own way.

Whatever comes is read in bounded time and memory: the beginning of the mail, and the report, wherever it stands.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from uuid import UUID

from flufl.bounce import all_failures

from kantis_kit.auth.links import LinkSigner
from messaging_svc.bounces.classifier import classify, status_in
from messaging_svc.bounces.model import Category, Incident, Verdict
from messaging_svc.verp import message_named_by

HEAD_BYTES = 1 << 20
REPORT_BYTES = 1 << 16
MOST_PARTS = 100
_MOST_BOUNDARIES = 40
"""A mail with more is not taken apart: nobody writes one, and each costs time on every line."""
_MOST_RECIPIENTS = 50
_TEXT = 4_000
_MARK = re.compile(rb"content-type:\s*message/(?:delivery-status|feedback-report)", re.IGNORECASE)
_MARK_BYTES = 80
_BOUNDARY = re.compile(rb"boundary\s*=", re.IGNORECASE)
_ABSENCE = re.compile(
    r"out of (?:the )?office|auto(?:matic|matisk|maattinen)?[ -]?(?:reply|svar|vastaus|response)|autosvar|fravær|frav[æe]r|"
    r"frånvaro|poissa|lomalla|on (?:vacation|holiday)|ikke til stede|semester",
    re.IGNORECASE,
)
ROBOT = re.compile(r"mailer-daemon|postmaster|mail delivery|<>", re.IGNORECASE)
_RETURNED = frozenset(
    {"message/rfc822", "message/rfc822-headers", "text/rfc822-headers", "message/global-headers"}
)
_OUR_HEADER = "X-Kantis-Dispatch"
_NAMING = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "Return-Path", "Original-Mail-From", "X-Failed-Recipients")  # fmt: skip


class Clipping:
    """What is kept of a mail that comes in parts: its beginning, and the report where it stands further behind."""

    def __init__(self) -> None:
        self.head = bytearray()
        self.report = bytearray()
        self._edge = b""
        self._digest = hashlib.blake2b(digest_size=16)

    @property
    def name(self) -> str:
        """Return the name of the whole mail, for one that has none."""
        return self._digest.hexdigest()

    def feed(self, part: bytes) -> None:
        """Take the next part."""
        self._digest.update(part)
        room = HEAD_BYTES - len(self.head)
        self.head += part[: max(room, 0)]
        rest = part[max(room, 0) :]
        if self.report:
            self.report += rest[: REPORT_BYTES - len(self.report)]
            return
        if not rest:
            return
        seen = self._edge + rest
        found = _MARK.search(seen)
        if found:
            self.report += seen[found.start() : found.start() + REPORT_BYTES]
        self._edge = seen[-_MARK_BYTES:]


@dataclass(slots=True)
class _Found:
    """What was found in a mail."""

    reports: list[Message] = field(default_factory=list)
    complaint: Message | None = None
    returned: Message | None = None
    text: str = ""


def read_mail(clipping: Clipping, signer: LinkSigner, *, now: datetime) -> list[Incident]:
    """Return what a mail says, one incident for each recipient that it names."""
    whole = mail_from_bytes(bytes(clipping.head))
    found = _Found()
    _look_into(whole, found)
    if clipping.report and not (found.reports or found.complaint):
        _look_into(mail_from_bytes(bytes(clipping.report)), found)
    message_id = _message_of(whole, found, signer, now)
    name = (header_of(whole, "Message-ID") or clipping.name)[:300]
    at = _moment(header_of(whole, "Date"), now)
    evidence = _evidence(whole, found)
    verdicts = list(_verdicts(whole, found))[:_MOST_RECIPIENTS]
    return [
        Incident(
            source="complaint" if verdict.category is Category.COMPLAINT else "dsn",
            external_id=f"{name}|{address}"[:400],
            channel="email",
            verdict=verdict,
            occurred_at=at,
            message_id=message_id,
            address=address,
            status=status[:20],
            diagnostic=text,
            evidence=evidence,
        )
        for address, verdict, status, text in verdicts
    ]


def mail_from_bytes(data: bytes) -> Message:
    """Read a mail; one that is made to cost time is read as plain text."""
    if len(_BOUNDARY.findall(data)) > _MOST_BOUNDARIES:
        head, _, body = data.partition(b"\n\n" if b"\n\n" in data else b"\r\n\r\n")
        # Its headers, and its text as it stands.
        plain = re.sub(rb"(?im)^(content-type|mime-version):[^\n]*(?:\n[ \t][^\n]*)*\n?", b"", head)
        return message_from_bytes(plain + b"\n\n" + body[:REPORT_BYTES])
    return message_from_bytes(data)


def _look_into(mail: Message, found: _Found) -> None:
    """Collect the parts that matter; of the mail that was returned, its headers alone."""
    is_report = mail.get_content_type() == "multipart/report"
    waiting, seen = [mail], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            found.reports += _blocks(part)
        elif kind == "message/feedback-report":
            found.complaint = found.complaint or next(iter(_blocks(part)), None)
        elif kind in _RETURNED:
            inner = _returned(part)
            found.returned = found.returned or inner
            if not is_report:
                waiting.append(inner)  # forwarded as a whole: the report stands inside
        elif kind == "text/plain" and not found.text:
            found.text = words_in(part)
        elif part.is_multipart():
            waiting += parts_inside(part)


def parts_inside(part: Message) -> list[Message]:
    """Return the parts of a part."""
    inside = part.get_payload()
    return [one for one in inside if isinstance(one, Message)] if isinstance(inside, list) else []


def _blocks(part: Message) -> list[Message]:
    if part.is_multipart():
        return [one for one in parts_inside(part) if one.keys()]
    blocks = re.split(r"\r?\n\r?\n", words_in(part))
    return [message_from_bytes(one.encode("utf-8", "replace")) for one in blocks if one.strip()]


def _returned(part: Message) -> Message:
    if inside := parts_inside(part):
        return inside[0]
    return message_from_bytes(words_in(part).encode("utf-8", "replace"))


def words_in(part: Message) -> str:
    """Return the text of a part, whatever it says of its signs; the beginning of a long one."""
    try:
        raw = part.get_payload(decode=True)
    except (ValueError, LookupError):
        raw = None
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw[:REPORT_BYTES].decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return raw[:REPORT_BYTES].decode("latin-1")


def header_of(mail: Message, name: str) -> str:
    """Return a header on one line, as it was sent; empty when there is none."""
    told = next((str(one) for key, one in mail.raw_items() if key.lower() == name.lower()), "")
    # What is outside ASCII against the rules is taken for UTF-8, as everybody writes it.
    text = told.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join(text.replace("\x00", "").split())


def decoded(value: str) -> str:
    """Return a header with its encoded words decoded, whatever they say of their signs."""
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(
        one if isinstance(one, str) else _as_text(one, charset) for one, charset in parts
    )


def _as_text(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode(charset or "utf-8", "replace")
    except LookupError:
        return raw.decode("latin-1")


def _verdicts(whole: Message, found: _Found) -> Iterator[tuple[str, Verdict, str, str]]:
    """Return (address, verdict, status, words) for each recipient that the mail is about."""
    if found.complaint is not None:
        yield from _complaint(found.complaint)
        return
    told = [block for block in found.reports if block.get("Final-Recipient") or block.get("Action")]
    for block in told:
        address = _address(header_of(block, "Original-Recipient")) or _address(
            header_of(block, "Final-Recipient")
        )
        status, text = header_of(block, "Status"), header_of(block, "Diagnostic-Code")
        yield address, _by_action(block, status, text or found.text), status, text[:_TEXT]
    if told:
        return
    if is_absence(whole):
        yield (
            "",
            Verdict(Category.AUTO_REPLY, "auto_reply"),
            "",
            header_of(whole, "Subject")[:_TEXT],
        )
        return
    text = found.text[:_TEXT].replace("\x00", "")
    addresses = _named_in_own_style(whole)
    if addresses or ROBOT.search(f"{header_of(whole, 'From')} {header_of(whole, 'Return-Path')}"):
        verdict = classify("", text)
        for address in addresses or [""]:
            yield address, verdict, status_in(text), text
        return
    yield "", Verdict(Category.AUTO_REPLY, "no_bounce"), "", header_of(whole, "Subject")[:_TEXT]


def _named_in_own_style(mail: Message) -> list[str]:
    """Return the addresses that a server names in its own way, as far as the library knows it."""
    if not mail.get("From"):
        return []
    try:
        temporary, permanent = all_failures(mail)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return []  # its detectors take mails for granted that are well formed
    return [raw.decode("utf-8", "replace") for raw in sorted({*temporary, *permanent})]


def _complaint(block: Message) -> Iterator[tuple[str, Verdict, str, str]]:
    kind = header_of(block, "Feedback-Type").lower()
    address = _address(header_of(block, "Original-Rcpt-To"))
    if kind == "not-spam":
        yield address, Verdict(Category.AUTO_REPLY, "not_spam"), "", kind
    else:
        yield address, Verdict(Category.COMPLAINT, "feedback_report"), "", kind


def _by_action(block: Message, status: str, text: str) -> Verdict:
    action = header_of(block, "Action").lower()
    if action in ("delivered", "relayed", "expanded"):
        return Verdict(Category.AUTO_REPLY, f"action_{action}")
    if action == "delayed":
        return Verdict(Category.TRANSIENT, "action_delayed")
    return classify(status, text)


def _address(told: str) -> str:
    """Return the address of `rfc822; kari@example.com`."""
    return told.rpartition(";")[2].strip().strip("<>")[:254]


def is_absence(mail: Message) -> bool:
    """Say whether a mail was written by a machine because somebody is away."""
    submitted = header_of(mail, "Auto-Submitted").lower()
    return (
        submitted.startswith("auto-replied")
        or any(mail.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress"))
        or bool(_ABSENCE.search(decoded(header_of(mail, "Subject"))))
    ) and mail.get_content_type() != "multipart/report"  # fmt: skip


def _message_of(whole: Message, found: _Found, signer: LinkSigner, now: datetime) -> UUID | None:
    """Return which message came back: by the signed address to which it came, else by the id in what was returned."""
    told = [whole, *([found.returned] if found.returned is not None else [])]
    told += [found.complaint] if found.complaint is not None else []
    addresses = " ".join(header_of(one, name) for one in told for name in _NAMING)
    named = message_named_by(addresses, signer, now=now)
    if named is not None or found.returned is None:
        return named
    try:
        return UUID(header_of(found.returned, _OUR_HEADER))
    except ValueError:
        return None


def _moment(told: str, now: datetime) -> datetime:
    try:
        found = parsedate_to_datetime(told)
    except (ValueError, TypeError, IndexError, OverflowError):
        return now
    return min(found if found.tzinfo else found.replace(tzinfo=UTC), now)


def _evidence(whole: Message, found: _Found) -> str:
    lines = [
        f"{name}: {value}"
        for name in ("From", "To", "Subject", "Date", "Message-ID")
        if (value := header_of(whole, name))
    ]
    for block in [*found.reports, *([found.complaint] if found.complaint is not None else [])]:
        lines += ["", *(f"{name}: {' '.join(str(value).split())}" for name, value in block.items())]
    if not found.reports:
        lines += ["", found.text[:_TEXT]]
    return "\n".join(lines).replace("\x00", "")  # fmt: skip
