"""From what a marketer writes to what is filled in per recipient.

Template tags are taken out before MJML, CSS inlining and the HTML parser see the text, and put back after: those
would escape or move them. Links become slots for tracked ones here, once, not per recipient.
"""

import html as html_entities
import re
from collections.abc import Collection
from typing import Literal

import css_inline
import mjml
from pydantic import BaseModel

from kantis_contracts.values import Language
from kantis_kit.web.contact import CONTACT
from messaging_svc.links import MAX_LINKS
from messaging_svc.templates.blocks import ITEM
from messaging_svc.templates.engine import (
    ADDRESSES,
    FIELDS,
    TAG,
    WEB_ONLY,
    Sandbox,
    check_tags,
    has_tags,
)
from messaging_svc.templates.errors import Flaw
from messaging_svc.templates.plain import plain_text
from messaging_svc.templates.texts import FOOTER

MAX_SUBJECT = 200
_MARK = re.compile(r"(?:<|&lt;)!--kx(\d+)xk--(?:>|&gt;)|kx(\d+)xk")
_LINK = re.compile(
    r"(<(?:a|area)\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*?\shref=)\"([^\"]*)\"", re.IGNORECASE
)
_FIELD = re.compile(r"\{\{-?\s*([\w.]+)\s*-?\}\}")
_ACTIVE = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|form|meta\s+http-equiv=[\"']?refresh|base|link)\b|\son\w+\s*=|javascript:",
    re.IGNORECASE,
)
# Control characters and the Unicode line ends: what could begin a new header.
CONTROL = re.compile("[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]")
_BODY_BEGIN = re.compile(r"<body\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


class LanguageSource(BaseModel):
    """A message in one language, as it was written; the mail, the letter, or both."""

    subject: str
    html: str = ""
    text: str | None = None
    preheader: str = ""
    """What mail programs show beside the subject."""
    letter: str = ""
    """The text on paper; `letter_text` says how it is written."""
    script: str = ""
    """What a caller says."""


class Link(BaseModel):
    """Where a tracked link leads: a fixed target, or the answer page of the piece."""

    kind: Literal["fixed", "response"]
    target: str = ""


class LanguageTemplate(BaseModel):
    """A message in one language, ready to be filled in."""

    subject: str
    html: str
    """Empty when there is no mail in this language."""
    text: str
    links: list[Link]
    letter: str = ""
    """Empty when there is no letter in this language."""
    script: str = ""
    """Empty when there is no call in this language."""

    def parts(self, language: Language) -> dict[str, str]:
        """Return the texts by the names under which they are rendered."""
        named = {
            "subject.txt": self.subject, "body.html": self.html, "body.txt": self.text, "script.txt": self.script,
        }  # fmt: skip
        return {f"{language}.{name}": text for name, text in named.items()}


class _Tags:
    """Template tags that wait outside while parsers work on the rest."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    def hold(self, tag: str, *, as_comment: bool = False) -> str:
        self.kept.append(tag)
        mark = f"kx{len(self.kept) - 1}xk"
        return f"<!--{mark}-->" if as_comment else mark

    def take_out(self, source: str) -> str:
        def hold(match: re.Match[str]) -> str:
            tag = match[0]
            if tag.startswith("{#"):
                return ""
            return self.hold(_without_call(tag), as_comment=tag.startswith("{%"))

        return TAG.sub(hold, source)

    def put_back(self, text: str) -> str:
        return _MARK.sub(lambda match: self.kept[int(match[1] or match[2])], text)

    def field(self, mark: str) -> str | None:
        """Return the name of the field when the text is the mark of exactly one field."""
        match = re.fullmatch(r"kx(\d+)xk", mark.strip())
        found = _FIELD.fullmatch(self.kept[int(match[1])]) if match else None
        return found[1] if found else None

    def check_complete(self, before: str, after: str) -> None:
        """Refuse a text in which a parser has lost, moved or repeated a statement."""
        wanted = [i for i in _numbers(before) if self.kept[i].startswith("{%")]
        got = [i for i in _numbers(after) if self.kept[i].startswith("{%")]
        if wanted != got:
            lost = next((i for i in wanted if got.count(i) != 1), wanted[0] if wanted else got[0])
            raise Flaw(
                f"{self.kept[lost]} stands where the layout does not keep it; put it inside a text block"
            )


def _numbers(text: str) -> list[int]:
    return [int(match[1] or match[2]) for match in _MARK.finditer(text)]


def _without_call(tag: str) -> str:
    """`greeting()` is written as a call and is a field like the others."""
    return re.sub(r"\bgreeting\s*\(\s*\)", "greeting", tag)


def compile_language(
    source: LanguageSource,
    language: Language,
    *,
    is_marketing: bool = True,
    fields: Collection[str] = FIELDS,
) -> LanguageTemplate:
    """Check one language of a template and make it ready.

    Raises:
        Flaw: with what is wrong, where, and how to mend it.
    """
    if not any(part.strip() for part in (source.html, source.letter, source.script)):
        raise Flaw(
            "html: there is neither a mail (html) nor a letter (letter) nor a call (script) in this language"
        )
    subject = _subject(source.subject, fields)
    html, text = "", ""
    links: list[Link] = []
    if source.html.strip():
        html, text, links = _mail(source, language, is_marketing=is_marketing, fields=fields)
    letter = _plain(source.letter, "letter", {*fields} - WEB_ONLY)
    script = _plain(source.script, "script", {*fields} - WEB_ONLY)
    ready = LanguageTemplate(
        subject=subject, html=html, text=text, links=links, letter=letter, script=script
    )
    sandbox = Sandbox(ready.parts(language))
    for name in ready.parts(language):
        sandbox.check(name)
    return ready


def _mail(
    source: LanguageSource, language: Language, *, is_marketing: bool, fields: Collection[str]
) -> tuple[str, str, list[Link]]:
    html, tags, links = _html(source.html, language, is_marketing=is_marketing, fields=fields)
    if source.text:
        text = _plain(source.text, "text", fields)
        if is_marketing and "contact_url" not in text:
            text = f"{text.rstrip()}\n\n{CONTACT[language]}: {{{{ contact_url }}}}\n"
        if is_marketing and "unsubscribe_url" not in text:
            text = f"{text.rstrip()}\n\n{FOOTER[language][1]}: {{{{ unsubscribe_url }}}}\n"
    else:
        text = tags.put_back(_no_references(plain_text(html), "text"))
    html = tags.put_back(html)
    if source.preheader:
        html = _with_preheader(html, _line(source.preheader, "preheader", fields))
    return html, text, links


def _with_preheader(html: str, preheader: str) -> str:
    """Put what mail programs show beside the subject before all else; nobody who opens the mail sees it."""
    kept = "".join(
        part if TAG.fullmatch(part) else html_entities.escape(part, quote=False)
        for part in re.split(f"({TAG.pattern})", preheader, flags=re.DOTALL)
    )
    hidden = f'<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">{kept}</div>'
    begin = _BODY_BEGIN.search(html)
    at = begin.end() if begin else 0
    return f"{html[:at]}{hidden}{html[at:]}"


def _plain(source: str, where: str, fields: Collection[str]) -> str:
    try:
        check_tags(source, fields)
    except Flaw as flaw:
        raise Flaw(f"{where}: {flaw}") from flaw
    return TAG.sub(lambda match: _without_call(match[0]), source)


def _line(source: str, where: str, fields: Collection[str]) -> str:
    if len(source) > MAX_SUBJECT:
        raise Flaw(f"{where}: has more than {MAX_SUBJECT} characters")
    if CONTROL.search(source):
        raise Flaw(
            f"{where}: holds a line break or another control character; write it on one line"
        )
    return _plain(source, where, fields)


def _subject(subject: str, fields: Collection[str]) -> str:
    if not subject.strip():
        raise Flaw("subject: is empty; a mail needs one")
    return _line(subject, "subject", fields)


def _html(
    source: str, language: Language, *, is_marketing: bool, fields: Collection[str]
) -> tuple[str, _Tags, list[Link]]:
    try:
        check_tags(source, fields)
    except Flaw as flaw:
        raise Flaw(f"html: {flaw}") from flaw
    if _MARK.search(source):
        raise Flaw("html: words of the form kx1xk are used inside; write something else")
    tags = _Tags()
    held = tags.take_out(source)
    active = _ACTIVE.search(html_entities.unescape(held))
    if active:
        raise Flaw(
            f"html: {active[0].strip()} does nothing in a mail and is not accepted; remove it"
        )
    page = _laid_out(held, language)
    page = _no_references(page, "html")
    tags.check_complete(held, page)
    for field, footer in (("contact_url", _contact), ("unsubscribe_url", _footer)):
        if is_marketing and not any(field in tags.kept[i] for i in _numbers(page)):
            page = _before_end(page, footer(tags, language))
    page, links = _slots(page, tags, fields)
    if is_marketing:
        pixel = tags.hold("{{ open_url|safe }}")
        page = _before_end(
            page, f'<img src="{pixel}" width="1" height="1" alt="" style="display:block">'
        )
    return page, tags, links


def _laid_out(held: str, language: Language) -> str:
    page = held
    if page.lstrip().lower().startswith("<mjml"):
        try:
            # MJML leaves the language open where its author does; who has mails read aloud needs it.
            page = mjml.mjml2html(page).replace('lang="und"', f'lang="{language.value}"', 1)
        except ValueError as error:
            raise Flaw(f"html: the MJML cannot be read: {str(error)[:200]}") from error
    try:
        return css_inline.inline(page, load_remote_stylesheets=False, keep_style_tags=True)
    except (ValueError, css_inline.InlineError) as error:
        raise Flaw(f"html: the style sheet cannot be read: {str(error)[:200]}") from error


def _no_references(text: str, where: str) -> str:
    if has_tags(text):
        raise Flaw(
            f"{where}: write the tags of the template plainly, not with character references"
        )
    return text


def _contact(tags: _Tags, language: Language) -> str:
    return (
        '<p style="font-size:12px;line-height:18px;color:#595959;text-align:center">'
        f'<a href="{tags.hold("{{ contact_url }}")}" style="color:#595959">{CONTACT[language]}</a></p>'
    )


def _footer(tags: _Tags, language: Language) -> str:
    why, leave, choose = FOOTER[language]
    off, preferences = tags.hold("{{ unsubscribe_url }}"), tags.hold("{{ preferences_url }}")
    return (
        '<p style="font-size:12px;line-height:18px;color:#595959;text-align:center">'
        f'{why}<br><a href="{off}" style="color:#595959">{leave}</a> · '
        f'<a href="{preferences}" style="color:#595959">{choose}</a></p>'
    )


def _before_end(page: str, addition: str) -> str:
    ends = list(_BODY_END.finditer(page))
    return (
        f"{page[: ends[-1].start()]}{addition}{page[ends[-1].start() :]}"
        if ends
        else page + addition
    )


def _slots(page: str, tags: _Tags, fields: Collection[str]) -> tuple[str, list[Link]]:
    links: list[Link] = []

    def replace(match: re.Match[str]) -> str:
        href = html_entities.unescape(match[2]).strip()
        field = tags.field(href)
        if field in WEB_ONLY or (field and field.endswith("_url") and field not in ADDRESSES):
            return f'{match[1]}"{tags.hold("{{ " + field + "|safe }}")}"'
        if field == f"{ITEM}.url":
            # Another one for each piece, so it has no position: it leads there directly, escaped like any text.
            return f'{match[1]}"{tags.hold("{{ " + field + " }}")}"'
        if field == "response_url":
            links.append(Link(kind="response"))
        elif _MARK.search(href):
            raise Flaw(
                f"html: a link may hold one of {_addresses(fields)} alone, and no other field"
            )
        elif href.startswith(("http://", "https://")) and not CONTROL.search(href):
            links.append(Link(kind="fixed", target=href))
        elif href.startswith(("mailto:", "tel:", "#")):
            return match[0]
        else:
            raise Flaw(f"html: the link {href[:80]!r} leads nowhere; begin it with https://")
        if len(links) > MAX_LINKS:
            raise Flaw(f"html: more than {MAX_LINKS} links")
        return f'{match[1]}"{tags.hold("{{ link_" + str(len(links) - 1) + "|safe }}")}"'

    return _LINK.sub(replace, page), links


def _addresses(fields: Collection[str]) -> str:
    return ", ".join(f"{{{{ {name} }}}}" for name in sorted(fields) if name.endswith("_url"))
