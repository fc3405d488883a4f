"""Where the steps of a drawing stand: in layers, each below every step that leads to it.

A way over several layers has a point of its own in each layer between, so that it passes beside the steps there; what
leads back to an earlier step is left out of the layers. The order within a layer follows the middle of the neighbours.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Way = tuple[str, str]
_SWEEPS = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """Layers of names, of steps and of points, from the start downwards."""

    layers: Sequence[Sequence[str]]
    points: Mapping[Way, Sequence[str]]
    """The points that a way passes between its two steps; of ways downwards only."""
    back: frozenset[Way]
    """The ways that lead back."""


def lay_out(start: str, leads: Mapping[str, Sequence[str]]) -> Layout:
    """Lay out what is reached from the start; `leads` tells for each step where its ways lead."""
    order, back = _walk(start, leads)
    depth = dict.fromkeys(order, 0)
    down = [(name, to) for name in order for to in leads[name] if (name, to) not in back]
    for name, to in down:  # in this order a step comes after all that lead to it
        depth[to] = max(depth[to], depth[name] + 1)
    points = {
        (name, to): [f"{name} to {to} at {at}" for at in range(depth[name] + 1, depth[to])]
        for name, to in down
    }
    layers: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in order:
        layers[depth[name]].append(name)
    links = []
    for (name, to), between in points.items():
        for at, point in enumerate(between, depth[name] + 1):
            layers[at].append(point)
        chain = [name, *between, to]
        links += list(pairwise(chain))
    return Layout(_ordered(layers, links), points, back)


def _walk(start: str, leads: Mapping[str, Sequence[str]]) -> tuple[list[str], frozenset[Way]]:
    """Return the steps, each before those it leads to, and the ways that lead back."""
    done: list[str] = []
    back: set[Way] = set()
    seen, on_the_way = {start}, {start}
    waiting = [(start, iter(leads[start]))]
    while waiting:
        name, rest = waiting[-1]
        to = next(rest, None)
        if to is None:
            waiting.pop()
            on_the_way.discard(name)
            done.append(name)
        elif to in on_the_way:
            back.add((name, to))
        elif to not in seen:
            seen.add(to)
            on_the_way.add(to)
            waiting.append((to, iter(leads[to])))
    return done[::-1], frozenset(back)


def _ordered(layers: list[list[str]], links: Sequence[Way]) -> list[list[str]]:
    above: dict[str, list[str]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for upper, lower in links:
        above[lower].append(upper)
        below[upper].append(lower)
    for sweep in range(_SWEEPS):
        goes_down = sweep % 2 == 0
        near = above if goes_down else below
        place: dict[str, float] = {}
        for layer in layers if goes_down else layers[::-1]:
            middle = {
                name: sum(place[one] for one in near[name]) / len(near[name]) if near[name] else 0.5
                for name in layer
            }
            layer.sort(key=middle.__getitem__)
            place |= {name: (at + 1) / (len(layer) + 1) for at, name in enumerate(layer)}
    return layers


__all__ = ["Layout", "Way", "lay_out"]
