"""The plain-text part of a mail, made from its HTML."""

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    {
        "p",
        "div",
        "tr",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "section",
        "hr",
    }
)
_PARAGRAPHS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote"}
)
_HIDDEN = frozenset({"head", "style", "script", "title", "template"})
# Statements of the template that stand alone on their line: the line end before them is not theirs.
_ALONE = re.compile(r"\n+((?:<!--kx\d+xk-->)+)(?=\n|$)")
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0
        self._hrefs: list[str] = []
        self._link_text_at: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "img":
            self.parts.append(given.get("alt") or "")
        elif tag == "a":
            self._hrefs.append(given.get("href") or "")
            self._link_text_at.append(len(self.parts))
        elif tag in _BLOCKS:
            self.parts.append("\n\n" if tag in _PARAGRAPHS else "\n")
            if tag == "li":
                self.parts.append("– ")
        elif tag == "td":
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a" and self._hrefs:
            href, start = self._hrefs.pop(), self._link_text_at.pop()
            words = "".join(self.parts[start:]).strip()
            if href and not href.startswith("#") and href != words:
                self.parts.append(f": {href}" if words else href)
        elif tag in _PARAGRAPHS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(_SPACES.sub(" ", data))

    def handle_comment(self, data: str) -> None:
        # The statements of the template travel as comments of this form; all others are no text.
        if re.fullmatch(r"kx\d+xk", data):
            self.parts.append(f"<!--{data}-->")


def plain_text(html: str) -> str:
    """Return what a person without HTML reads; placeholders of template tags stay where they are."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [_SPACES.sub(" ", line).strip() for line in "".join(reader.parts).split("\n")]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return _ALONE.sub(r"\1", text) + "\n"
