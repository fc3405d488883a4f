"""A drawing of a programme as SVG: steps in layers from the start downwards, with how many people are at each now.

Drawn on the server: no script, every text escaped, a title and a description for those who do not see it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement, tostring

from campaign_svc.programmes.layout import Layout, lay_out
from campaign_svc.programmes.schemas.graph import Graph
from campaign_svc.programmes.ways import NEXT, is_wait, ways

_WIDTH, _HEIGHT = 190, 58
_POINT = 110
"""The room that a way takes that passes between steps: its words stand there."""
_GAP_X, _GAP_Y = 40, 72
_MARGIN = 30
_LANE = 22
"""How far from the steps, and from each other, the ways run that lead back."""
_STUB = 16
_LETTERS = 24
_PLAIN = frozenset({NEXT, "to"})
_STYLE = (
    "text{font:13px sans-serif;fill:#1f2933}.kind,.way{font-size:11px;fill:#52606d}"
    ".way{text-anchor:middle;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    "rect{fill:#f5f7fa;stroke:#52606d}.wait rect{fill:#fff8e1}.end rect{fill:#e3f2e6}.count{font-weight:bold;text-anchor:end}"
    "path{fill:none;stroke:#52606d}.back{stroke-dasharray:5 4}"
)


@dataclass(frozen=True, slots=True)
class _Place:
    x: int
    y: int
    width: int

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def foot(self) -> int:
        return self.y + _HEIGHT


def draw(name: str, graph: Graph, here: Mapping[str, int]) -> bytes:
    """Return the drawing; `here` counts the people at each step."""
    words = {step: _by_goal(graph, step) for step in graph.steps}
    layout = lay_out(graph.start, {step: list(goals) for step, goals in words.items()})
    places = _places(layout, graph)
    right = max(place.x + place.width for place in places.values())
    width = right + _MARGIN + _LANE * (len(layout.back) + 1)
    height = _MARGIN + max(place.foot for place in places.values()) + _STUB
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "role": "img",
            "aria-labelledby": "title desc",
        },
    )
    SubElement(svg, "title", {"id": "title"}).text = name
    SubElement(svg, "desc", {"id": "desc"}).text = _told(graph, here)
    SubElement(svg, "style").text = _STYLE
    arrow = {"id": "arrow", "viewBox": "0 0 8 8", "refX": "8", "refY": "4", "orient": "auto"}
    marker = SubElement(
        SubElement(svg, "defs"), "marker", {**arrow, "markerWidth": "8", "markerHeight": "8"}
    )
    SubElement(marker, "path", {"d": "M0 0 L8 4 L0 8"})
    for way, points in layout.points.items():
        chain = [places[one] for one in (way[0], *points, way[1])]
        _draw_down(svg, chain, words[way[0]][way[1]])
    for number, (source, goal) in enumerate(sorted(layout.back), 1):
        lane = right + _LANE * number
        _draw_back(svg, places[source], places[goal], lane, words[source][goal])
    _draw_steps(svg, graph, here, {one: places[one] for one in graph.steps if one in places})
    return tostring(svg)


def _by_goal(graph: Graph, step: str) -> dict[str, str]:
    """Return where the ways of a step lead, each with the words of all that lead there."""
    found: dict[str, list[str]] = {}
    for way, to in ways(graph.steps[step]).items():
        found.setdefault(to, []).extend([] if way in _PLAIN else [_in_words(way)])
    return {to: ", ".join(words) for to, words in found.items()}


def _in_words(way: str) -> str:
    """Return what a way is called: `cases.0.next` is the first case, `answers.yes` the answer yes."""
    kind, _, rest = way.partition(".")
    if kind == "cases":
        return f"case {int(rest.removesuffix('.next')) + 1}"
    return (rest or kind).replace("_", " ")


def _places(layout: Layout, graph: Graph) -> dict[str, _Place]:
    """Give each step and point its place; layers are centred."""
    sizes = [[_WIDTH if one in graph.steps else _POINT for one in layer] for layer in layout.layers]
    widths = [sum(layer) + _GAP_X * (len(layer) - 1) for layer in sizes]
    places = {}
    for depth, layer in enumerate(layout.layers):
        x = _MARGIN + (max(widths) - widths[depth]) // 2
        for name, size in zip(layer, sizes[depth], strict=True):
            places[name] = _Place(x, _MARGIN + depth * (_HEIGHT + _GAP_Y), size)
            x += size + _GAP_X
    return places


def _draw_down(svg: Element, chain: Sequence[_Place], words: str) -> None:
    path = f"M{chain[0].middle} {chain[0].foot}"
    for above, below in pairwise(chain):
        bend = _GAP_Y // 2
        path += f" C{above.middle} {above.foot + bend} {below.middle} {below.y - bend} {below.middle} {below.y}"
        if below is not chain[-1]:
            path += f" L{below.middle} {below.foot}"
    SubElement(svg, "path", {"d": path, "class": "on", "marker-end": "url(#arrow)"})
    first, second = chain[:2]
    at = ((first.middle + second.middle) // 2, (first.foot + second.y) // 2 + 4)
    _text(svg, at, words, "way")


def _draw_back(svg: Element, source: _Place, goal: _Place, lane: int, words: str) -> None:
    """Lead back under the steps of the one layer, beside all others, and in over those of the other."""
    under, over = source.foot + _STUB, goal.y - _STUB
    path = (
        f"M{source.middle} {source.foot} L{source.middle} {under} L{lane} {under} L{lane} {over}"
        f" L{goal.middle + _STUB} {over} L{goal.middle + _STUB} {goal.y}"
    )
    SubElement(svg, "path", {"d": path, "class": "back", "marker-end": "url(#arrow)"})
    _text(svg, (source.middle + _WIDTH // 2, under + 4), words, "way")


def _draw_steps(
    svg: Element, graph: Graph, here: Mapping[str, int], places: Mapping[str, _Place]
) -> None:
    for name, place in places.items():
        step = graph.steps[name]
        look = "wait" if is_wait(step) else "end" if not ways(step) else "act"
        group = SubElement(svg, "g", {"class": look, "id": f"step-{name}"})
        size = {"width": str(_WIDTH), "height": str(_HEIGHT), "rx": "8"}
        SubElement(group, "rect", {"x": str(place.x), "y": str(place.y), **size})
        _text(group, (place.x + 10, place.y + 23), _short(name.replace("_", " ")))
        _text(group, (place.x + 10, place.y + 43), step.kind.replace("_", " "), "kind")
        if here.get(name):
            _text(group, (place.x + _WIDTH - 10, place.y + 43), f"{here[name]:,}", "count")
        if step.note:
            SubElement(group, "title").text = step.note


def _told(graph: Graph, here: Mapping[str, int]) -> str:
    """Tell the drawing in words."""
    told = [f"It begins with {graph.start}."]
    for name, step in graph.steps.items():
        leads = "; ".join(f"{way}: {to}" for way, to in ways(step).items()) or "the end"
        told.append(f"{name} ({step.kind}, {here.get(name, 0)} people): {leads}.")
    return " ".join(told)


def _text(parent: Element, at: tuple[int, int], words: str, kind: str = "") -> None:
    if not words:
        return
    look = {"class": kind} if kind else {}
    SubElement(parent, "text", {"x": str(at[0]), "y": str(at[1]), **look}).text = words


def _short(words: str) -> str:
    return words if len(words) <= _LETTERS else f"{words[: _LETTERS - 1]}…"
