"""The sandbox in which templates run: plain data in, text out, a bound on work.

Only what `check_tags` lets through reaches the engine: names from an allow-list, a few filters, `if`. The engine adds
strict undefined names and fuel, so that even a gap in the allow-list could not run for ever.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from minijinja import Environment, TemplateError

from messaging_svc.templates.errors import CannotRender, Flaw

FUEL = 20_000
"""Instructions per rendering; the largest sample of ours takes under 300."""
MAX_SOURCE_BYTES = 256 * 1024
MAX_OUTPUT_CHARS = 512 * 1024

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_OPENING = re.compile(r"\{\{|\{%|\{#")
_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<string>"[^"\\]*"|'[^'\\]*')|(?P<number>\d{1,9})"""
    r"""|(?P<sign>==|!=|\||\(|\)))"""
)
_FILTERS = frozenset({"upper", "lower", "capitalize", "title", "trim", "default"})
_WORDS = frozenset({"if", "elif", "else", "endif", "and", "or", "not"})
_STARTS = frozenset({"if", "elif", "else", "endif"})

FIELDS = frozenset(
    {"preferred_name", "greeting", "offer_name", "offer_price", "response_url", "unsubscribe_url",
     "preferences_url", "company"}
)  # fmt: skip
"""What a campaign's template may name."""
ADDRESSES = frozenset({"response_url", "unsubscribe_url", "preferences_url"})
"""Fields that are addresses: the only ones that a link may lead to."""


def check_tags(source: str, fields: Collection[str] = FIELDS) -> None:
    """Refuse whatever is not a known field, a simple filter or an `if`.

    Raises:
        Flaw: with the tag and how to mend it.
    """
    if len(source.encode()) > MAX_SOURCE_BYTES:
        raise Flaw(
            f"is larger than {MAX_SOURCE_BYTES // 1024} KiB; keep pictures outside and link to them"
        )
    for tag in TAG.findall(source):
        if not tag.startswith("{#"):
            _check_tag(tag, fields)
    if _OPENING.search(TAG.sub("", source)):
        raise Flaw("holds a tag that is opened with {{, {% or {# and never closed")


def _check_tag(tag: str, fields: Collection[str]) -> None:
    is_statement = tag.startswith("{%")
    body = tag[2:-2].strip("-+ \t\r\n")
    tokens = list(_tokens(tag, body))
    if not tokens:
        raise Flaw(f"{_shown(tag)} is empty")
    if is_statement and tokens[0][1] not in _STARTS:
        raise Flaw(
            f"{_shown(tag)}: only if, elif, else and endif are available, no loops and no definitions"
        )
    previous = ""
    for index, (kind, word) in enumerate(tokens):
        if kind == "name":
            _check_name(tag, word, previous, fields, may_start=is_statement and index == 0)
        previous = word


def _check_name(
    tag: str, word: str, previous: str, fields: Collection[str], *, may_start: bool
) -> None:
    if previous == "|":
        if word not in _FILTERS:
            raise Flaw(
                f"{_shown(tag)}: the filter {word} is not available; there are {', '.join(sorted(_FILTERS))}"
            )
    elif word in _WORDS:
        if word in _STARTS and not may_start:
            raise Flaw(f"{_shown(tag)}: {word} cannot stand here")
    elif word not in fields:
        raise Flaw(
            f"{_shown(tag)}: the field {word} is not known; there are {', '.join(sorted(fields))}"
        )


def _tokens(tag: str, body: str) -> Iterable[tuple[str, str]]:
    at = 0
    while at < len(body):
        match = _TOKEN.match(body, at)
        if match is None:
            raise Flaw(
                f"{_shown(tag)}: fields, filters, texts in quotes, == and != are available, "
                f"and nothing else ({body[at : at + 12].strip()!r})"
            )
        at = match.end()
        yield str(match.lastgroup), match[match.lastgroup or 0]


def _shown(tag: str) -> str:
    return tag if len(tag) <= 60 else f"{tag[:57]}…"  # noqa: PLR2004 - the length of a line


def has_tags(text: str) -> bool:
    """Say whether a text opens a tag, as one that was written with character references does after a parser."""
    return bool(_OPENING.search(text))


class Sandbox:
    """Compiled templates by name; names that end in `.html` escape what they print."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._engine = Environment(
            templates=dict(templates), undefined_behavior="strict", fuel=FUEL
        )
        for name in ("debug", "range", "dict", "namespace"):
            self._engine.remove_global(name)

    def render(self, name: str, fields: Mapping[str, str]) -> str:
        """Return the text.

        Raises:
            CannotRender: a field is missing, the fuel is spent, or the text is too long.
        """
        try:
            text = self._engine.render_template(name, **fields)
        except TemplateError as error:
            raise CannotRender(f"{name}: {str(error).splitlines()[0]}") from error
        if len(text) > MAX_OUTPUT_CHARS:
            raise CannotRender(f"{name}: the text has more than {MAX_OUTPUT_CHARS} characters")
        return text

    def check(self, name: str) -> None:
        """Refuse a template that cannot be parsed.

        Raises:
            Flaw: with the engine's sentence.
        """
        try:
            self._engine.undeclared_variables_in_template(name)
        except TemplateError as error:
            raise Flaw(str(error).splitlines()[0]) from error
