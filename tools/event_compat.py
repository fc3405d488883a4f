"""What a change of an event's JSON schema breaks: the same version may only gain fields with defaults.

Both sides must live with each other for a while: events wait in queues, outboxes and archives, and consumers are
replaced one by one. So nothing is removed, narrowed, newly required, or turned into another type.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
SHAPES = ("pattern", "multipleOf", "contentEncoding", "uniqueItems")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Return a sentence for each thing that the new schema takes away from those who knew the old one."""
    return list(_Comparison(old, new).compare(old, new, "event"))


class _Comparison:
    """Walks two schemas side by side; each knows its own `$defs`."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str]] = set()

    def compare(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """Yield what breaks at this place and below it."""
        refs = (str(old.get("$ref", "")), str(new.get("$ref", "")))
        if all(refs):
            if refs in self._seen:
                return  # a type that holds itself
            self._seen.add(refs)
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        if _branches(old) or _branches(new):
            yield from self._union(old, new, at)
            return
        if old.get("type") != new.get("type"):
            yield f"{at}: the type changed from {old.get('type')} to {new.get('type')}"
            return
        if old.get("format") != new.get("format"):
            yield f"{at}: the format changed from {old.get('format')} to {new.get('format')}"
        yield from _values(old, new, at)
        yield from _bounds(old, new, at)
        yield from self._fields(old, new, at)
        yield from self._elements(old, new, at)
        self._seen.discard(refs)

    def _union(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """Every alternative must find its equal: a lost one narrows, a new one surprises older consumers."""
        left = list(_branches(new) or [new])
        for branch in _branches(old) or [old]:
            match = next((one for one in left if not self._differs(branch, one, at)), None)
            if match is None:
                yield f"{at}: no longer takes {_words(_resolved(branch, self._old))} as it did"
            else:
                left.remove(match)
        for branch in left:
            yield f"{at}: may now be {_words(_resolved(branch, self._new))}, which older consumers cannot read"

    def _differs(self, old: Schema, new: Schema, at: str) -> bool:
        return any(True for _ in _Comparison(self._old, self._new).compare(old, new, at))

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            if name not in after:
                yield f"{at}.{name}: the field is gone"
            elif name in required_before - required_after:
                yield f"{at}.{name}: the field was always there and may now be absent"
            if name in after:
                yield from self.compare(before[name], after[name], f"{at}.{name}")
        for name in sorted(required_after - required_before):
            how = "new and required" if name not in before else "now required"
            yield f"{at}.{name}: the field is {how}; give it a default"

    def _elements(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        for key in ("items", "additionalProperties"):
            before, after = old.get(key, True), new.get(key, True)  # absent: anything goes
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                yield from self.compare(before, after, f"{at}[]")
            elif before != after:
                yield f"{at}: what it holds changed"
        before, after = old.get("prefixItems", ()), new.get("prefixItems", ())
        if len(before) != len(after):
            yield f"{at}: has {len(after)} places instead of {len(before)}"
            return
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from self.compare(one, other, f"{at}[{number}]")


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow references; what stands beside one is kept."""
    while "$ref" in schema:
        target = root["$defs"][str(schema["$ref"]).rsplit("/", 1)[1]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _branches(schema: Schema) -> Sequence[Schema]:
    return schema.get("anyOf") or schema.get("oneOf") or ()


def _words(schema: Schema) -> str:
    return str(schema.get("title") or schema.get("type") or schema.get("const") or "something")


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, after = _listed(old), _listed(new)
    if before is None and after is not None:
        yield f"{at}: only takes {', '.join(map(str, after))} now"
    elif before is not None and after is not None:
        for value in before:
            if value not in after:
                yield f"{at}: no longer takes {value!r}"


def _listed(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for key in LOWER_BOUNDS:
        if key in new and new[key] > old.get(key, float("-inf")):
            yield f"{at}: {key} rose from {old.get(key, 'none')} to {new[key]}"
    for key in UPPER_BOUNDS:
        if key in new and new[key] < old.get(key, float("inf")):
            yield f"{at}: {key} fell from {old.get(key, 'none')} to {new[key]}"
    for key in SHAPES:
        if key in new and new[key] != old.get(key):
            yield f"{at}: {key} changed from {old.get(key, 'none')} to {new[key]}"
