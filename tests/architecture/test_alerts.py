"""The alarms ask for figures that there are, by labels that they have, and the operations manual names each figure."""

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from kantis_kit.observability import metrics

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "observability" / "alerts.yml"
MANUAL = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
RULES = [
    rule
    for group in yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ENDINGS = {
    Counter: ("_total",),
    Gauge: ("",),
    Histogram: ("_bucket", "_count", "_sum"),
}
SILENT = {"kantis_events_published", "kantis_events_consumed", "kantis_outbox_rows"}
"""Figures to look at, which say nothing by themselves."""


def figures() -> dict[str, MetricWrapperBase]:
    """Return every figure of the kit by the names under which Prometheus knows it."""
    found = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    return {f"{one._name}{ending}": one for one in found for ending in ENDINGS[type(one)]}


def mistakes(rule: dict[str, object]) -> list[str]:
    """Say what an alarm asks for that there is not."""
    told = f"{rule['expr']} {rule.get('annotations', '')}"
    known, found, labels = figures(), [], {"le"}
    for name in set(re.findall(r"kantis_\w+", str(rule["expr"]))):
        if name not in known:
            found.append(f"there is no {name}")
        else:
            labels |= {*known[name]._labelnames}
    asked = set(re.findall(r"\$labels\.(\w+)", told)) | set(re.findall(r"[{,]\s*(\w+)=", told))
    for inner in re.findall(r"by \(([^)]*)\)", told):
        asked |= {word.strip() for word in inner.split(",")}
    return found + [f"no label {one}" for one in sorted(asked - labels)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alarm_asks_for_what_there_is(rule):
    assert [] == mistakes(rule)
    assert rule["annotations"]["summary"]


@pytest.mark.parametrize(
    ("expression", "mistake"),
    [
        ("kantis_outbox_age > 1", "there is no kantis_outbox_age"),
        ("kantis_loops_died > 1", "there is no kantis_loops_died"),
        ("sum by (shop) (kantis_parked_rows)", "no label shop"),
        ('kantis_saga_rows{mood="stuck"} > 0', "no label mood"),
    ],
)
def test_an_alarm_that_asks_for_something_else_is_refused(expression, mistake):
    assert [mistake] == mistakes({"expr": expression})


def test_every_figure_has_an_alarm_and_a_place_in_the_manual():
    asked = " ".join(str(rule["expr"]) for rule in RULES)
    names = {one._name for one in figures().values()}

    assert set() == {name for name in names - SILENT if name not in asked}
    assert set() == {name for name in names if name not in MANUAL}
    assert "deploy/observability/alerts.yml" in MANUAL
