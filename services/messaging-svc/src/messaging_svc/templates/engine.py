"""The sandbox in which templates run: plain data in, text out, a bound on work.

Only what `check_tags` lets through reaches the engine: names from an allow-list, a few filters, `if`, and `for` over the
short lists that a piece carries. The engine adds strict undefined names and fuel, so that even a gap in the allow-list
could not run for ever.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping

from minijinja import Environment, TemplateError

from messaging_svc.templates.blocks import ITEM, ITEM_FIELDS, LISTS, MAX_ITEMS
from messaging_svc.templates.errors import CannotRender, Flaw

FUEL = 20_000
"""Instructions per rendering; the largest sample of ours takes under 300."""
MAX_SOURCE_BYTES = 256 * 1024
MAX_OUTPUT_CHARS = 512 * 1024

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_OPENING = re.compile(r"\{\{|\{%|\{#")
_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_][A-Za-z_0-9]*(?:\.[a-z][a-z_0-9]*)?)|(?P<string>"[^"\\]*"|'[^'\\]*')|(?P<number>\d{1,9})"""
    r"""|(?P<sign>==|!=|\||\(|\)))"""
)
_FILTERS = frozenset({"upper", "lower", "capitalize", "title", "trim", "default"})
_STARTS = frozenset({"if", "elif", "else", "endif", "endfor"})
_WORDS = _STARTS | {"and", "or", "not"}
_LOOPS = frozenset((("for", ITEM, "in", name)) for name in LISTS)
_ITEM_NAMES = frozenset(f"{ITEM}.{field}" for field in ITEM_FIELDS)

FACT = "fact"
"""What is known of the moment for which a rule or a programme writes: `fact.gate`, as whoever told of it called it."""
_ANY_FACT = f"{FACT}.*"
_FACT_NAME = re.compile(rf"\b{FACT}\.([a-z][a-z_0-9]*)")

FIELDS = frozenset(
    {_ANY_FACT, "preferred_name", "greeting", "offer_name", "offer_price", "response_url", "unsubscribe_url",
     "preferences_url", "contact_url", "company", "language", "response_code", *LISTS}
)  # fmt: skip
"""What a campaign's template may name."""
ADDRESSES = frozenset({"response_url", "unsubscribe_url", "preferences_url", "contact_url"})
"""Fields that are addresses: the only ones that a link may lead to."""
WEB_ONLY = frozenset({"unsubscribe_url", "preferences_url", "contact_url"})
"""Addresses that are too long to be typed from paper."""


def check_tags(source: str, fields: Collection[str] = FIELDS) -> None:
    """Refuse whatever is not a known field, a simple filter, an `if` or a `for` over a list of a piece.

    Raises:
        Flaw: with the tag and how to mend it.
    """
    if len(source.encode()) > MAX_SOURCE_BYTES:
        raise Flaw(
            f"is larger than {MAX_SOURCE_BYTES // 1024} KiB; keep pictures outside and link to them"
        )
    is_inside = False
    for tag in TAG.findall(source):
        if not tag.startswith("{#"):
            is_inside = _check_tag(tag, fields, is_inside=is_inside)
    if is_inside:
        raise Flaw(
            f"{{% for {ITEM} in … %}} is never ended; write {{% endfor %}} behind what it repeats"
        )
    if _OPENING.search(TAG.sub("", source)):
        raise Flaw("holds a tag that is opened with {{, {% or {# and never closed")


def _check_tag(tag: str, fields: Collection[str], *, is_inside: bool) -> bool:
    """Check one tag; return whether what follows it is inside a loop."""
    is_statement = tag.startswith("{%")
    body = tag[2:-2].strip("-+ \t\r\n")
    tokens = list(_tokens(tag, body))
    if not tokens:
        raise Flaw(f"{_shown(tag)} is empty")
    words = tuple(word for _, word in tokens)
    if is_statement and words[0] == "for":
        _check_loop(tag, words, fields, is_inside=is_inside)
        return True
    if is_statement and words[0] not in _STARTS:
        raise Flaw(
            f"{_shown(tag)}: only if, elif, else, endif, for and endfor are available, and no definitions"
        )
    known = {*fields, *_ITEM_NAMES} if is_inside else {*fields}
    if not is_statement:
        known -= LISTS
    previous = ""
    for index, (kind, word) in enumerate(tokens):
        if kind == "name":
            _check_name(tag, word, previous, known, may_start=is_statement and index == 0)
        previous = word
    if words[0] == "endfor":
        if not is_inside or len(words) > 1:
            raise Flaw(f"{_shown(tag)}: there is no for that it could end")
        return False
    return is_inside


def _check_loop(
    tag: str, words: tuple[str, ...], fields: Collection[str], *, is_inside: bool
) -> None:
    if words not in _LOOPS or words[-1] not in fields:
        lists = " or ".join(sorted(LISTS))
        raise Flaw(
            f"{_shown(tag)}: the only loops are over what a piece carries: {{% for {ITEM} in … %}} with {lists},"
            f" at most {MAX_ITEMS} of them"
        )
    if is_inside:
        raise Flaw(f"{_shown(tag)}: a loop cannot stand inside a loop")


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
    elif word in _ITEM_NAMES and word not in fields:
        raise Flaw(f"{_shown(tag)}: {word} is known between for and endfor alone")
    elif word in LISTS and word not in fields:
        raise Flaw(
            f"{_shown(tag)}: {word} is a list; go through it with {{% for {ITEM} in {word} %}}"
        )
    elif word.startswith(f"{FACT}.") and _ANY_FACT in fields:
        return
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

    def __init__(
        self, templates: Mapping[str, str], *, shown: Callable[[object], str] | None = None
    ) -> None:
        """Take the templates; `shown` says how a value is printed, where not as it is."""
        self.facts = frozenset(
            name for text in templates.values() for tag in TAG.findall(text) for name in _FACT_NAME.findall(tag)
        )  # fmt: skip
        self._engine = Environment(
            templates=dict(templates),
            undefined_behavior="strict",
            fuel=FUEL,
            finalizer=shown,
            pycompat=False,
        )
        for name in ("debug", "range", "dict", "namespace"):
            self._engine.remove_global(name)

    def render(self, name: str, fields: Mapping[str, object]) -> str:
        """Return the text; a fact that is not known of this moment is empty.

        Raises:
            CannotRender: a field is missing, the fuel is spent, or the text is too long.
        """
        if self.facts:
            known = fields.get(FACT)
            told = known if isinstance(known, Mapping) else {}
            fields = {**fields, FACT: {one: str(told.get(one) or "") for one in self.facts}}
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
            self.fields(name)
        except TemplateError as error:
            raise Flaw(str(error).splitlines()[0]) from error

    def fields(self, name: str) -> set[str]:
        """Return the fields that a template names."""
        return set(self._engine.undeclared_variables_in_template(name))
