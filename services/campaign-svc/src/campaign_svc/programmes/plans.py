"""Published versions, made ready to walk in. They never change, so that each is read once per process."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from campaign_svc.programmes.schemas.conditions import Asked, InSegment
from campaign_svc.programmes.schemas.graph import Graph, Match, WaitUntil
from campaign_svc.programmes.ways import conditions_in, heard_in
from kantis_kit.tx import Tx

_KEPT = 1_000
_READ = """
    SELECT v.programme_id, v.version, v.graph
    FROM unnest($1::uuid[], $2::int[]) AS wanted (programme_id, version)
    JOIN programme_version v USING (programme_id, version)
"""
PlanKey = tuple[UUID, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """A graph, and what of the world its steps look at."""

    graph: Graph
    hears: tuple[str, ...]
    segments: frozenset[UUID]
    products: frozenset[UUID]
    dates: frozenset[str]

    @classmethod
    def of(cls, graph: Graph) -> "Plan":
        """Read a graph once."""
        steps = list(graph.steps.values())
        asked = (one for one in conditions_in(graph) if isinstance(one, InSegment | Asked))
        matches = [one.products.values() for one in steps if isinstance(one, Match)]
        return cls(
            graph=graph,
            hears=tuple(heard_in(graph)),
            segments=frozenset(one.segment_id for one in asked),
            products=frozenset(one for lists in matches for products in lists for one in products),
            dates=frozenset(one.date for one in steps if isinstance(one, WaitUntil)),
        )


_plans: dict[PlanKey, Plan] = {}


async def plans_of(tx: Tx, keys: Iterable[PlanKey]) -> Mapping[PlanKey, Plan]:
    """Return the plans of published versions."""
    wanted = sorted(set(keys))
    missing = [key for key in wanted if key not in _plans]
    if missing:
        if len(_plans) > _KEPT:
            _plans.clear()
        rows = await tx.fetch(_READ, [key[0] for key in missing], [key[1] for key in missing])
        for row in rows:
            graph = Graph.model_validate(loaded(row["graph"]))
            _plans[row["programme_id"], row["version"]] = Plan.of(graph)
    return {key: _plans[key] for key in wanted}


def loaded(value: object) -> Any:  # noqa: ANN401 - what was written there
    """Return what a jsonb column holds, whichever way its connection reads it."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


__all__ = ["Plan", "PlanKey", "loaded", "plans_of"]
