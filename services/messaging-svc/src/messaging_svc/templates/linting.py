"""What is wrong, or not as good as it could be, with a message that can be sent. Nothing is fetched from anywhere.

An error keeps a version from standing; a warning needs nothing.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from ipaddress import ip_address
from urllib.parse import urlsplit

import orjson

from kantis_contracts.values import ADVERTISING, Language, MessageClass
from messaging_svc.templates.blocks import ITEM, LISTS
from messaging_svc.templates.compiling import LanguageSource, LanguageTemplate, compile_language
from messaging_svc.templates.engine import TAG
from messaging_svc.templates.errors import CannotRender, Flaw
from messaging_svc.templates.imagined import try_out
from messaging_svc.templates.rendering import Rendered
from messaging_svc.templates.schemas import Severity

MAX_MAIL_BYTES = 100 * 1024
"""Beyond, large mail programs cut the mail off, with the way to unsubscribe."""
_SALES_FIELDS = re.compile(rf"\b(offer_name|offer_price|{'|'.join(sorted(LISTS))}|{ITEM}\.\w+)\b")
_LONG_SUBJECT = 70
_LOUD = 0.7
_SHORT = 8
_REPLY = re.compile(r"^\s*(re|sv|vs|fw|fwd|vb)\s*:", re.IGNORECASE)
_HOST_IN_TEXT = re.compile(r"^(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:/\S*)?$", re.IGNORECASE)
_MAILBOX = re.compile(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: where, and how to mend it."""

    code: str
    severity: Severity
    language: Language | None
    place: str
    """`subject`, `preheader`, `html`, `text`, `letter`, or `launch`."""
    message: str
    mend: str


def _error(language: Language | None, code: str, place: str, message: str, mend: str) -> Finding:
    return Finding(code, Severity.ERROR, language, place, message, mend)


def _warning(language: Language | None, code: str, place: str, message: str, mend: str) -> Finding:
    return Finding(code, Severity.WARNING, language, place, message, mend)


def lint(sources: Mapping[Language, LanguageSource], message_class: MessageClass) -> list[Finding]:
    """Return what is found, the errors of all languages first."""
    found = [
        finding
        for language, source in sorted(sources.items())
        for finding in _of_language(language, source, message_class)
    ]
    return sorted(found, key=lambda one: one.severity != Severity.ERROR)


def _of_language(
    language: Language, source: LanguageSource, message_class: MessageClass
) -> Iterator[Finding]:
    is_marketing = message_class in ADVERTISING
    try:
        ready = compile_language(source, language, is_marketing=is_marketing)
        tried = try_out(language, ready)
    except (Flaw, CannotRender) as flaw:
        place, _, rest = str(flaw).partition(": ")
        named = place.rsplit(".", 1)[0] if rest else "html"
        yield _error(language, "cannot-compile", named, rest or place, "mend what is named")
        return
    yield from _subject(language, source, tried)
    if not is_marketing:
        yield from _sales(language, source)
    if ready.html:
        yield from _mail(language, source, ready, tried, is_marketing=is_marketing)


# -- the line that is read first ---------------------------------------------------------------------------------------


def _subject(
    language: Language, source: LanguageSource, tried: Collection[Rendered]
) -> Iterator[Finding]:
    subject = TAG.sub("", source.subject).strip()
    if not all(one.subject for one in tried):
        yield _error(
            language, "subject-missing", "subject", "is empty for people without a name or an offer",
            "write words around the fields, or another text behind {% else %}",
        )  # fmt: skip
    if len(source.subject) > _LONG_SUBJECT:
        yield _warning(
            language, "subject-long", "subject", f"has more than {_LONG_SUBJECT} characters",
            "say it shorter: phones show some forty",
        )  # fmt: skip
    letters = [sign for sign in subject if sign.isalpha()]
    loud = len(letters) >= _SHORT and sum(map(str.isupper, letters)) / len(letters) > _LOUD
    words = _matches(subject, _words(language)["spam"])
    if loud or "!!" in subject or "$$" in subject or words:
        reason = f"holds {words[0]!r}" if words else "is in capitals or full of exclamation marks"
        yield _warning(
            language, "subject-spammy", "subject", f"{reason}, as unwanted mail often does",
            "write it as you would say it",
        )  # fmt: skip
    if _REPLY.match(subject):
        yield _error(
            language, "subject-feigns-reply", "subject", "begins like the answer to a mail",
            "leave the prefix out: it misleads, and the law forbids that",
        )  # fmt: skip


# -- what may be said --------------------------------------------------------------------------------------------------


@cache
def _words(language: Language) -> Mapping[str, list[str]]:
    loaded = orjson.loads((files("messaging_svc.templates") / "sales_words.json").read_bytes())
    words: Mapping[str, list[str]] = loaded[language.value]
    return words


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    parts = [
        (r"\b" if word[0].isalnum() else "")
        + re.escape(word.removesuffix("*")).replace(r"\ ", r"\s+")
        + (r"\w*" if word.endswith("*") else r"\b" if word[-1].isalnum() else "")
        for word in words
    ]
    return re.compile("|".join(parts), re.IGNORECASE)


def _matches(text: str, words: Iterable[str]) -> list[str]:
    return [match[0] for match in _pattern(tuple(words)).finditer(text)]


def _sales(language: Language, source: LanguageSource) -> Iterator[Finding]:
    places = {
        "subject": source.subject,
        "preheader": source.preheader,
        "html": _visible(source.html).text,
        "text": source.text or "",
        "letter": source.letter,
        "script": source.script,
    }
    for place, text in places.items():
        words = _matches(TAG.sub(" ", text), _words(language)["sales"])
        if words:
            yield _error(
                language, "sales-in-notice", place, f"{words[0]!r} sells, in a message that people cannot refuse",
                "say it without, or make the message a marketing one",
            )  # fmt: skip
    fields = _SALES_FIELDS.findall(
        " ".join(TAG.findall(" ".join((source.subject, source.preheader, source.html, source.text or "", source.letter, source.script))))
    )  # fmt: skip
    if fields:
        yield _error(
            language, "offer-in-notice", "html", f"{fields[0]} puts an offer into a message that people cannot refuse",
            "take the block out, or make the message a marketing one",
        )  # fmt: skip


# -- the mail ----------------------------------------------------------------------------------------------------------


class _Visible(HTMLParser):
    """The words, pictures and links of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.images: list[dict[str, str | None]] = []
        self.links: list[tuple[str, str]] = []
        self.names: set[str] = set()
        self._parts: list[str] = []
        self._hidden = 0
        self._link: tuple[str, int] | None = None

    @property
    def text(self) -> str:
        return " ".join("".join(self._parts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.names.update(str(given[name]) for name in ("id", "name") if given.get(name))
        if tag in ("style", "script", "title"):
            self._hidden += 1
        elif tag in ("img", "mj-image"):
            self.images.append(given)
        elif tag == "a":
            self._link = (given.get("href") or "", len(self._parts))
        else:
            self._parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "title"):
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a" and self._link:
            href, start = self._link
            self.links.append((href, "".join(self._parts[start:]).strip()))
            self._link = None

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._parts.append(data)


def _visible(html: str) -> _Visible:
    reader = _Visible()
    reader.feed(html)
    reader.close()
    return reader


def _mail(
    language: Language,
    source: LanguageSource,
    ready: LanguageTemplate,
    tried: Collection[Rendered],
    *,
    is_marketing: bool,
) -> Iterator[Finding]:
    if is_marketing:
        yield from _way_out(language, tried)
    size = max(len(one.html.encode()) for one in tried)
    if size > MAX_MAIL_BYTES:
        say = _error if is_marketing else _warning
        yield say(
            language, "too-large", "html", f"has {size // 1024} KB; mail programs cut it off at 100 KB",
            "shorten it, and keep styles few",
        )  # fmt: skip
    if not source.preheader:
        yield _warning(
            language, "preheader-missing", "preheader", "is empty: programs show the first words of the mail instead",
            "say in a few words what the subject does not",
        )  # fmt: skip
    if not any(sign.isalnum() for sign in TAG.sub("", source.text or ready.text)):
        yield _error(
            language, "plain-text-missing", "text", "nothing is left of the mail for who reads plain text",
            "write text into the mail, not only into pictures",
        )  # fmt: skip
    page = _visible(next(iter(tried)).html)
    yield from _images(language, page, _visible(TAG.sub(" ", source.html)).text)
    yield from _links(language, page, ready)


def _way_out(language: Language, tried: Collection[Rendered]) -> Iterator[Finding]:
    for place, texts in (
        ("html", [one.html for one in tried]),
        ("text", [one.text for one in tried]),
    ):
        if not all("#unsubscribe" in text for text in texts):
            yield _error(
                language, "unsubscribe-missing", place, "some people get no way to unsubscribe",
                "write {{ unsubscribe_url }} where no condition hides it, or leave it out: it is added",
            )  # fmt: skip


def _images(language: Language, page: _Visible, written: str) -> Iterator[Finding]:
    shown = [image for image in page.images if (image.get("src") or "") != "data:,"]
    for image in shown:
        source = (image.get("src") or "").strip()
        if "alt" not in image:
            yield _warning(
                language, "image-without-text", "html", f"the picture {source[:60]!r} has no alt text",
                'say what it shows in alt="…", or alt="" when it only decorates',
            )  # fmt: skip
        if source.startswith("data:"):
            yield _warning(
                language, "image-inside", "html", "a picture is inside the mail, where most programs do not show it",
                "put it on a server and link to it",
            )  # fmt: skip
        elif source and not source.lower().startswith(("https://", "http://", "#")):
            yield _error(
                language, "image-broken", "html", f"the picture {source[:60]!r} leads nowhere",
                "begin its address with https://",
            )  # fmt: skip
    if (
        shown
        and len(written.split()) < _SHORT
        and not any((image.get("alt") or "").strip() for image in shown)
    ):
        yield _error(
            language, "only-images", "html", "the mail is pictures without a word",
            "write text, or alt texts at least: many programs show no pictures",
        )  # fmt: skip


def _links(language: Language, page: _Visible, ready: LanguageTemplate) -> Iterator[Finding]:
    ours = {"#response", "#unsubscribe", "#preferences", "#contact"}
    for href, words in page.links:
        problem = None if href in ours else _broken(href, page.names)
        if problem:
            yield _error(
                language,
                "link-broken",
                "html",
                f"the link {href[:80]!r} {problem}",
                "mend its address",
            )
        elif href.lower().startswith("http://"):
            yield _warning(
                language, "link-insecure", "html", f"the link {href[:80]!r} is not encrypted", "begin it with https://"
            )  # fmt: skip
        said = _HOST_IN_TEXT.match(words)
        if (
            said
            and href.startswith("http")
            and not _same_house(said[1], urlsplit(href).hostname or "")
        ):
            yield _warning(
                language, "link-misleads", "html", f"the link says {said[1]} and leads to {urlsplit(href).hostname}",
                "let the words say where it leads",
            )  # fmt: skip
    if not page.links and ready.links:
        yield _warning(
            language, "link-hidden", "html", "no link can be clicked", "put words into the links"
        )


def _same_house(said: str, host: str) -> bool:
    said, host = said.lower().removeprefix("www."), host.lower().removeprefix("www.")
    return host == said or host.endswith(f".{said}")


def _broken(href: str, names: Collection[str]) -> str | None:  # noqa: PLR0911 - one line for each kind of fault
    if href.startswith("#"):
        return None if href[1:] in names else "leads to a place that is not in the mail"
    if href.lower().startswith("mailto:"):
        return None if _MAILBOX.match(href) else "names no mailbox"
    if href.lower().startswith("tel:"):
        return None if any(sign.isdigit() for sign in href) else "names no number"
    try:
        parts = urlsplit(href)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "cannot be read"
    if any(sign.isspace() for sign in href):
        return "holds a space"
    if not host:
        return "has no host"
    if "@" in parts.netloc:
        return "holds a name before the host, by which people are misled"
    return None if _is_public(host) else f"leads to {host}, which people cannot reach"


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".local", ".internal", ".localhost"))
