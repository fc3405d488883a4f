"""A report as a page: words, numbers in the reader's manner, plots, a table beside each."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import (
    format_compact_decimal,
    format_decimal,
    format_percent,
    get_currency_precision,
)
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analytics_svc.campaigns.schemas import CampaignReport, CellReport, DayReport
from analytics_svc.pages.plots import Range, Series, bars, ranges
from analytics_svc.pages.texts import TEXTS
from kantis_contracts.values import Language
from kantis_kit.money import in_words

_HERE = Path(__file__).parent / "templates"
_STYLE = (_HERE / "report.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing but the page itself and its one style, known by its hash: no script, no picture, no other host."""
_WAY = ("planned", "sent", "delivered", "clicked_persons", "responded", "ordered", "paid")
_MONEY = ("paid_minor", "cost_minor", "profit_minor")
_DAYS = ("sent", "clicked", "responded", "ordered", "paid")
_SUMS = (
    "planned", "sent", "delivered", "suppressed", "failed", "in_doubt", "clicked_persons", "unsubscribed",
    "responded", "ordered", "paid", *_MONEY,
)  # fmt: skip
_MAX_DAYS = 31  # more groups than this cannot be told apart; the table holds them all


@dataclass(frozen=True, slots=True)
class _Part:
    key: str
    title: str
    about: str
    plot: Markup
    legend: Sequence[str]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class _Page:
    """One report in one language."""

    def __init__(self, report: CampaignReport, language: Language) -> None:
        self.report = report
        self.words = TEXTS[language]
        self.language = language
        self.locale = Locale.parse(language.value)
        self.digits = get_currency_precision(report.currency)

    def count(self, value: float) -> str:
        """Return a number as the language writes it."""
        return format_decimal(value, locale=self.locale)

    def short(self, value: float) -> str:
        """Return a number for an axis."""
        return format_compact_decimal(value, locale=self.locale, fraction_digits=1)

    def money(self, minor: float) -> str:
        """Return an amount with its currency."""
        return in_words(int(minor), self.report.currency, self.language.value)

    def percent(self, value: float) -> str:
        """Return a rate with one decimal."""
        return format_percent(
            value, format=self.locale.percent_formats[None].pattern.replace("0", "0.0", 1),
            locale=self.locale,
        )  # fmt: skip

    def name(self, cell: CellReport) -> str:
        """Return what a cell is called on the page."""
        if cell.cell_id is None:
            return self.words["no_cell"]
        return f"{cell.key_code} {cell.name}".strip()

    def way(self) -> _Part:
        """Return how far the pieces got."""
        cells, words = self.report.cells, self.words
        title, about = words["way"], words["way_about"]
        series = [
            Series(self.name(cell), [getattr(cell, stage) for stage in _WAY]) for cell in cells
        ]
        stages = [words[stage] for stage in _WAY]
        plot = bars(stages, series, title=title, about=about, key="plot-way", show=self.short)
        rows = [
            [self.name(cell), *(self.count(getattr(cell, stage)) for stage in _WAY)]
            for cell in cells
        ]
        legend = [one.name for one in series]
        return _Part("way", title, about, Markup(plot), legend, [words["cell"], *stages], rows)  # noqa: S704 - escaped by ElementTree

    def rates(self) -> _Part:
        """Return how many answered, and how sure that is."""
        words = self.words
        title, about = words["rates"], words["rates_about"]
        found = [
            Range(self.name(cell), rate.low, rate.value, rate.high)
            for cell in self.report.cells
            if (rate := cell.response_rate) is not None
        ]
        plot = ranges(found, title=title, about=about, key="plot-rates", show=self.percent)
        rows = [
            [one.name, *(self.percent(value) for value in (one.value, one.low, one.high))]
            for one in found
        ]
        head = [words["cell"], words["rate"], words["low"], words["high"]]
        return _Part("rates", title, about, Markup(plot), (), head, rows)  # noqa: S704 - escaped by ElementTree

    def amounts(self) -> _Part:
        """Return what came in and what it cost."""
        cells, words = self.report.cells, self.words
        title, about = words["money"], words["money_about"]
        series = [
            Series(words[measure], [getattr(cell, measure) for cell in cells]) for measure in _MONEY
        ]

        def axis(minor: float) -> str:
            return self.short(minor / 10**self.digits)

        plot = bars(
            [self.name(cell) for cell in cells], series,
            title=f"{title} ({self.report.currency})", about=about, key="plot-money", show=axis,
        )  # fmt: skip
        rows = [
            [self.name(cell), *(self.money(getattr(cell, measure)) for measure in _MONEY)]
            for cell in cells
        ]
        legend = [one.name for one in series]
        return _Part("money", title, about, Markup(plot), legend, [words["cell"], *legend], rows)  # noqa: S704 - escaped by ElementTree

    def days(self) -> _Part:
        """Return what happened when."""
        words, days = self.words, self.report.days
        title, about = words["days"], words["days_about"]
        shown: Sequence[DayReport] = days[-_MAX_DAYS:]
        series = [
            Series(words[measure], [getattr(day, measure) for day in shown]) for measure in _DAYS
        ]
        every = max(1, -(-len(shown) // 8))
        groups = [
            format_date(day.day, "d.M.", locale=self.locale) if index % every == 0 else ""
            for index, day in enumerate(shown)
        ]
        plot = bars(groups, series, title=title, about=about, key="plot-days", show=self.short)
        rows = [
            [
                format_date(day.day, "medium", locale=self.locale),
                *(self.count(getattr(day, measure)) for measure in _DAYS),
            ]
            for day in days
        ]
        legend = [one.name for one in series]
        return _Part("days", title, about, Markup(plot), legend, [words["day"], *legend], rows)  # noqa: S704 - escaped by ElementTree

    def sums(self) -> list[tuple[str, str]]:
        """Return the whole campaign's numbers."""
        total = self.report.total
        return [
            (
                self.words[name],
                (self.money if name in _MONEY else self.count)(getattr(total, name)),
            )
            for name in _SUMS
        ]


_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def render_report(report: CampaignReport, language: Language) -> str:
    """Return the report as an HTML page of its own."""
    page = _Page(report, language)
    launched = report.launched_at
    return _TEMPLATES.get_template("report.html").render(
        lang=language.value,
        t=page.words,
        report=report,
        channel=page.words.get(f"channel_{report.channel}", report.channel),
        launched=format_datetime(launched, "d. MMMM y HH:mm", locale=page.locale)
        if launched
        else "",
        sums=page.sums(),
        parts=[page.way(), page.rates(), page.amounts(), page.days()],
        style=Markup(_STYLE),  # noqa: S704 - our own file
    )
