"""Plots as SVG, drawn on the server: no script, every text escaped, each with a title and a description."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from xml.etree.ElementTree import Element, SubElement, tostring

_WIDTH = 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 16, 44
_HEIGHT = 280
_LETTER = 6.5  # width of a letter of 12 px, on the safe side
_LINES = 2
_TICKS = 4
_SERIES = 6  # as many colours as the page's style has; more series begin again


@dataclass(frozen=True, slots=True)
class Series:
    """A named row of values, one per group."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Range:
    """A value with the range in which it lies."""

    name: str
    low: float
    value: float
    high: float


Show = Callable[[float], str]


def _canvas(title: str, about: str, key: str) -> Element:
    svg = Element(
        "svg",
        {
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
            "role": "img",
            "aria-labelledby": f"{key}-title {key}-desc",
            "class": "plot",
        },
    )
    SubElement(svg, "title", {"id": f"{key}-title"}).text = title
    SubElement(svg, "desc", {"id": f"{key}-desc"}).text = about
    return svg


def _text(parent: Element, x: float, y: float, text: str, anchor: str = "middle") -> None:
    SubElement(
        parent, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    ).text = text


def _label(parent: Element, x: float, text: str, room: float) -> None:
    """Write a group's name under the axis, on two lines where that helps, cut where it must be."""
    fits = max(3, int(room / _LETTER))
    words, lines = text.split(), [""]
    for word in words:
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) <= fits or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    if len(lines) > _LINES:
        lines = [lines[0], " ".join(lines[1:])]
    for number, line in enumerate(lines):
        shown = line if len(line) <= fits else f"{line[: fits - 1]}…"
        _text(parent, x, _HEIGHT - _BOTTOM + 16 + number * 14, shown)


def _line(parent: Element, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:  # noqa: PLR0917 - two points
    places = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    SubElement(parent, "line", {"class": kind} | {name: f"{at:.1f}" for name, at in places.items()})


def nice_ceiling(value: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not below the value."""
    if value <= 0:
        return 1.0
    step = 1.0
    while step < value:
        step *= 10
    while step / 10 >= value:
        step /= 10
    return next(step * part for part in (0.1, 0.2, 0.25, 0.5, 1.0) if step * part >= value)


def _axis(svg: Element, smallest: float, largest: float, show: Show) -> Callable[[float], float]:
    """Draw the grid at round numbers, zero among them, and return where a value stands."""
    step = nice_ceiling(max(largest, -smallest) / _TICKS)
    below, above = ceil(max(0.0, -smallest) / step), ceil(max(0.0, largest) / step)
    if not below + above:
        above = 1
    high, span = above * step, (below + above) * step
    plot = _HEIGHT - _TOP - _BOTTOM

    def place(value: float) -> float:
        return _TOP + plot * (high - value) / span

    for number in range(-below, above + 1):
        value = number * step
        _line(svg, "grid", _LEFT, place(value), _WIDTH - _RIGHT, place(value))
        _text(svg, _LEFT - 6, place(value) + 4, show(value), "end")
    _line(svg, "axis", _LEFT, place(0), _WIDTH - _RIGHT, place(0))
    return place


def bars(
    groups: Sequence[str], series: Sequence[Series], *, title: str, about: str, key: str, show: Show
) -> str:
    """Return grouped bars: one group per name, one bar per series, from zero up or down."""
    svg = _canvas(title, about, key)
    values = [value for one in series for value in one.values] or [0.0]
    place = _axis(svg, min(values), max(values), show)
    slot = (_WIDTH - _LEFT - _RIGHT) / max(1, len(groups))
    width = min(48.0, slot * 0.8 / max(1, len(series)))
    for index, group in enumerate(groups):
        middle = _LEFT + slot * (index + 0.5)
        start = middle - width * len(series) / 2
        for number, one in enumerate(series):
            value = one.values[index]
            top, bottom = sorted((place(value), place(0)))
            bar = SubElement(
                svg,
                "rect",
                {
                    "class": f"s{number % _SERIES}",
                    "x": f"{start + width * number:.1f}",
                    "y": f"{top:.1f}",
                    "width": f"{width * 0.92:.1f}",
                    "height": f"{max(0.0, bottom - top):.1f}",
                },
            )
            SubElement(bar, "title").text = f"{one.name}, {group}: {show(value)}"
        _label(svg, middle, group, slot)
    return tostring(svg, encoding="unicode")


def ranges(points: Sequence[Range], *, title: str, about: str, key: str, show: Show) -> str:
    """Return a dot per point with a line over its range."""
    svg = _canvas(title, about, key)
    place = _axis(svg, 0.0, max((point.high for point in points), default=0.0), show)
    slot = (_WIDTH - _LEFT - _RIGHT) / max(1, len(points))
    for index, point in enumerate(points):
        x = _LEFT + slot * (index + 0.5)
        _line(svg, "range", x, place(point.low), x, place(point.high))
        for end in (point.low, point.high):
            _line(svg, "range", x - 8, place(end), x + 8, place(end))
        dot = SubElement(
            svg,
            "circle",
            {
                "class": f"s{index % _SERIES}",
                "cx": f"{x:.1f}",
                "cy": f"{place(point.value):.1f}",
                "r": "6",
            },
        )
        described = f"{show(point.value)} ({show(point.low)} – {show(point.high)})"
        SubElement(dot, "title").text = f"{point.name}: {described}"
        _label(svg, x, point.name, slot)
    return tostring(svg, encoding="unicode")
