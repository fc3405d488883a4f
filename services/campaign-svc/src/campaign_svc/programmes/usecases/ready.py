"""Programmes that are delivered with the product, as data: what each lacks is filled in when it is taken."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import orjson
from pydantic import ValidationError

from campaign_svc.programmes.errors import NotFilled, ReadyMadeUnknown
from campaign_svc.programmes.schemas.api import ProgrammeIn, ReadyMadeIn, ReadyMadeOut
from campaign_svc.programmes.schemas.graph import Graph

_MARK = "$"


@lru_cache(maxsize=1)
def ready_made() -> dict[str, ReadyMadeOut]:
    """Return the ready-made programmes by key."""
    folder = files("campaign_svc.programmes").joinpath("ready_made")
    found = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".json"):
            key = file.name.removesuffix(".json")
            found[key] = ReadyMadeOut(key=key, **orjson.loads(file.read_bytes()))
    return found


def filled(key: str, body: ReadyMadeIn) -> ProgrammeIn:
    """Return a ready-made programme with everything that it lacked.

    Raises:
        ReadyMadeUnknown: there is none with this key.
        NotFilled: something that it asks for is missing, or something is given that it does not ask for.
    """
    one = ready_made().get(key)
    if one is None:
        raise ReadyMadeUnknown(f"There is no {key}; there are {', '.join(ready_made())}")
    missing = {name: what for name, what in one.asks_for.items() if name not in body.fill}
    needless = sorted(set(body.fill) - set(one.asks_for))
    if missing or needless:
        errors = [
            *({"in": "body", "field": f"fill.{name}", "message": f"give the id of {what}"} for name, what in missing.items()),
            *({"in": "body", "field": f"fill.{name}", "message": "nothing asks for it"} for name in needless),
        ]  # fmt: skip
        raise NotFilled("; ".join(f"{e['field']}: {e['message']}" for e in errors), errors=errors)
    values = {f"{_MARK}{name}": str(id_) for name, id_ in body.fill.items()}
    try:
        graph = Graph.model_validate(_put(one.graph, values))
    except (
        ValidationError
    ) as error:  # shipped data is tested; this names the file rather than failing blindly
        raise NotFilled(f"{key}: {error}") from error
    return ProgrammeIn(name=body.name or one.name, graph=graph)


def _put(value: object, values: Mapping[str, str]) -> object:
    match value:
        case str() if value.startswith(_MARK):
            return values.get(value, value)
        case dict():
            return {key: _put(inner, values) for key, inner in value.items()}
        case list():
            return [_put(inner, values) for inner in value]
        case _:
            return value
