"""Forms of the console: each says which call of the API it makes; the page shows it, sends it and shows what was refused."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

import orjson

from gateway.console.calls import ApiRefused, Call, Json

Kind = Literal[
    "text", "email", "tel", "password", "number", "money", "check", "select", "radio", "day", "area", "code", "json",
    "hidden", "file", "search",
]  # fmt: skip
Options = Sequence[tuple[str, str]]
Values = Mapping[str, str]
Do = Callable[[Any, Values], Awaitable[Json]]
"""Does what a form asks, for its page (`Page`; that module knows this one) and what was typed."""
_MINOR = 100
_LARGEST = 2**63
"""No number of the API is larger."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. Its name is the path in the body of the call: `sign_off.name` stands in an object `sign_off`."""

    name: str
    kind: Kind = "text"
    required: bool = False
    options: Sequence[str] = ()
    """Of a select, where they are always the same; a page gives others by `page.options`."""
    blank: Literal["left out", "empty", "null"] = "left out"
    """What an empty field says."""
    given: str = ""
    """What stands in it at first."""
    complete: str = ""
    """What a browser may fill in, by the names of HTML."""

    @property
    def label(self) -> str:
        """Return the key of its label."""
        return f"field.{self.name.rpartition('.')[2]}"

    def read(self, text: str) -> Json:
        """Return the value for the call.

        Raises:
            ValueError: it cannot be one.
        """
        if self.kind == "check":
            return text == "on"
        if self.kind in ("number", "money"):
            return _number(text, _MINOR if self.kind == "money" else 1)
        if self.kind == "json":
            return orjson.loads(text)
        return text


@dataclass(frozen=True)
class Form:
    """A form, and the call that it makes.

    Its name is the key of its texts: `form.<name>` is on its button.
    """

    name: str
    method: str
    path: str
    """Of the call; `{campaign_id}` is a part of the page's address or a field of the form."""
    needs: str
    fields: Sequence[Field] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """What the body always holds."""
    has_body: bool = True
    then: str = ""
    """Where to go after it: `{id}` comes from the answer. Empty: the same page, which says that it is done."""
    do: Do | None = None
    """What is done instead of the one call, such as sending a file on."""
    is_plain: bool = False
    """Whether it is a button in a row of others."""

    def body_of(self, values: Values) -> dict[str, Any]:
        """Return the body of the call.

        Raises:
            ApiRefused: a field holds what it cannot hold, in the words of a problem.
        """
        body: dict[str, Any] = dict(self.fixed)
        errors = []
        for one in self.fields:
            text = values.get(one.name, "").strip() if one.kind != "password" else values[one.name]
            if f"{{{one.name}}}" in self.path or one.kind == "file":
                continue
            if not text and one.kind != "check":
                if one.blank != "left out":
                    put(body, one.name, "" if one.blank == "empty" else None)
                continue
            try:
                put(body, one.name, one.read(text))
            except (ValueError, ArithmeticError):
                errors.append({"field": one.name, "message": f"{text[:80]!r}"})
        if errors:
            raise ApiRefused(422, {"title": "", "detail": "", "errors": errors})
        return body

    def target(self, params: Mapping[str, str]) -> str:
        """Return the path of the call, with the parts that are known filled in.

        A part that is not said, or that would be another level of the path, is one that no address has.
        """
        path = self.path
        for name, value in params.items():
            is_part = value and "/" not in value and value not in (".", "..")
            path = path.replace(f"{{{name}}}", value if is_part else "-")
        return path

    def as_call(self, params: Mapping[str, str]) -> Call:
        """Return the call as the end of the page shows it."""
        body: dict[str, Any] = dict(self.fixed)
        is_file = False
        for one in self.fields:
            is_file = is_file or one.kind == "file"
            if f"{{{one.name}}}" not in self.path and one.kind != "file":
                put(body, one.name, one.given or "…")
        if is_file:
            return Call(self.method, self.target(params), content_type="text/csv")
        return Call(self.method, self.target(params), body if self.has_body else None)


def _number(text: str, times: int) -> int | float:
    """Read a number as people write it, such as `1 234,50`; one that is whole is an integer."""
    value = Decimal("".join(text.split()).replace(",", ".")) * times
    is_whole = abs(value) < _LARGEST and value == value.to_integral_value()
    if not abs(value) < _LARGEST or (times == _MINOR and not is_whole):
        message = "no amount"  # nothing is rounded that somebody pays
        raise ValueError(message)
    return int(value) if is_whole else float(value)


def put(body: dict[str, Any], path: str, value: Json) -> None:
    """Set a value in nested objects by its path; a part `0` is the one element of a list: `lines.0.quantity`."""
    holder: Any = body
    *outer, last = path.split(".")
    for part, inner in zip(outer, [*outer, last][1:], strict=True):
        made: Any = [{}] if inner == "0" else {}
        holder = holder[0] if part == "0" else holder.setdefault(part, made)
    holder[last] = value


def errors_by_field(form: Form, problem: Mapping[str, Any]) -> dict[str, str]:
    """Return what a problem says of each field of the form."""
    names = {one.name for one in form.fields}
    found: dict[str, str] = {}
    for error in problem.get("errors", ()):
        name = str(error.get("field", ""))
        if name in names:
            found.setdefault(name, str(error.get("message", "")))
    return found
