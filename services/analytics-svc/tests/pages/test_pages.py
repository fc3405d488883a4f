"""The report's page: for browsers, in five languages, without scripts."""

import base64
import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics_svc.campaigns.queries import rate
from analytics_svc.campaigns.schemas import CampaignReport, CellReport, DayReport, Numbers
from analytics_svc.campaigns.statistics import wilson
from analytics_svc.main import SPEC
from analytics_svc.pages.plots import Range, Series, bars, nice_ceiling, ranges
from analytics_svc.pages.render import CONTENT_SECURITY_POLICY, render_report
from analytics_svc.pages.texts import TEXTS
from kantis_contracts.campaign import CampaignLaunchedV1, CellCard
from kantis_contracts.values import Channel, Language, Purpose

CAMPAIGN = UUID(int=1)
NASTY = '<script>alert("x")</script>&æøå'


def report(**changes):
    cells = [
        CellReport(
            cell_id=UUID(int=number), name=NASTY, key_code=f"K{number}", planned=100, sent=90, delivered=88,
            clicked_persons=20, responded=9, responded_persons=9, ordered=8, paid=7, paid_minor=139300,
            cost_minor=4500, profit_minor=134800 - number * 200000, response_rate=rate(9, 88),
        )
        for number in (1, 2)
    ]  # fmt: skip
    whole = {
        "campaign_id": CAMPAIGN, "name": NASTY, "channel": "email", "currency": "NOK", "offer_name": NASTY,
        "launched_at": datetime(2026, 3, 1, tzinfo=UTC), "cells": cells, "total": Numbers(planned=200),
        "days": [DayReport(day=date(2026, 3, 1) + timedelta(days=n), sent=90) for n in range(40)],
    }  # fmt: skip
    return CampaignReport(**{**whole, **changes})


@pytest.mark.parametrize("language", list(Language))
def test_every_language_has_every_word(language):
    assert TEXTS[Language.EN].keys() == TEXTS[language].keys()
    assert all(TEXTS[language].values())


@pytest.mark.parametrize("language", list(Language))
def test_the_page_has_no_script_and_beside_each_plot_a_table(language):
    page = render_report(report(), language)

    assert f'<html lang="{language.value}">' in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "style=" not in page
    assert 4 == page.count("<svg") == page.count("<table>") == page.count("<caption>")
    for plot in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        tree = ET.fromstring(plot)  # noqa: S314 - our own
        title, about = tree[0], tree[1]
        assert ("title", "desc") == (title.tag, about.tag)
        assert title.text
        assert about.text
        assert f"{title.get('id')} {about.get('id')}" == tree.get("aria-labelledby")


def test_the_policy_names_the_hash_of_the_style_and_allows_nothing_else():
    (style,) = re.findall(r"<style>(.*?)</style>", render_report(report(), Language.EN), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")
    assert "script" not in CONTENT_SECURITY_POLICY


def test_a_campaign_without_events_has_a_page_too():
    page = render_report(report(cells=[], days=[], launched_at=None), Language.FI)

    assert 4 == page.count("Mitään ei ole vielä tapahtunut.")


async def test_a_shared_link_opens_one_report_for_a_week_and_no_other(rig_for):
    rig = await rig_for(SPEC)
    for number in (1, 2):
        await rig.publish(
            CampaignLaunchedV1(
                campaign_id=UUID(int=number), campaign_name=f"campaign {number}", launch_id=UUID(int=number),
                purpose=Purpose.OFFERS, channel=Channel.EMAIL, currency="SEK", launched_at=rig.clock.now(),
                items=(
                    CellCard(
                        cell_id=UUID(int=10 + number), key_code="K", name="A", share_pct=100,
                        template_id=UUID(int=4),
                    ),
                ),
            )
        )  # fmt: skip
    await rig.drain()
    async with rig.client() as client, rig.anonymous() as visitor:
        link = (await client.post(f"/v1/reports/campaigns/{CAMPAIGN}/links")).json()
        page = await visitor.get(link["path"], params={"lang": "sv"})
        wishes = {"Accept-Language": "de, fi;q=0.4, sv;q=0.8"}
        own = await client.get(f"/v1/reports/campaigns/{CAMPAIGN}/page", headers=wishes)
        closed = await visitor.get(f"/v1/reports/campaigns/{CAMPAIGN}/page")
        broken = await visitor.get(link["path"][:-2] + "AA")
        rig.clock.advance(timedelta(days=7, hours=2))
        late = await visitor.get(link["path"])

    assert [200, 200, 401, 404, 404] == [
        answer.status_code for answer in (page, own, closed, broken, late)
    ]
    assert "campaign 1" in page.text
    assert "campaign 2" not in page.text
    assert "sv" == page.headers["content-language"]
    assert "sv" == own.headers["content-language"]
    assert CONTENT_SECURITY_POLICY == page.headers["content-security-policy"]
    assert "no-store" == page.headers["cache-control"]


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_an_interval_holds_its_rate_and_stays_between_nothing_and_all(hits, tries):
    hits = min(hits, tries)
    interval = wilson(hits, tries)

    assert 0 <= interval.low <= hits / tries <= interval.high <= 1
    assert interval.low < interval.high


def test_wilson_gives_the_interval_of_the_textbook():
    interval = wilson(10, 100)

    assert (0.0552, 0.1744) == (round(interval.low, 4), round(interval.high, 4))
    assert wilson(0, 0) is None


@given(st.floats(1e-3, 1e12))
def test_an_axis_ends_just_above_what_it_shows(value):
    assert value <= nice_ceiling(value) <= 2.5 * value * 1.0001


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5))
def test_the_axis_has_its_zero_at_a_tick_and_every_bar_stays_on_the_plot(values):
    drawn = bars(
        [str(number) for number in range(len(values))], [Series("s", values)],
        title="t", about="a", key="k", show=str,
    )  # fmt: skip
    tree = ET.fromstring(drawn)  # noqa: S314 - our own

    ticks = [text.text for text in tree.iter("text") if text.get("text-anchor") == "end"]
    assert "0.0" in ticks or "-0.0" in ticks
    assert 2 <= len(ticks) <= 11
    for bar in tree.iter("rect"):
        top, height = float(bar.get("y")), float(bar.get("height"))
        assert 15.9 <= top <= top + height <= 236.2


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("language", list(Language))
def test_every_channel_has_a_name_in_every_language(channel, language):
    assert TEXTS[language][f"channel_{channel.value}"]


def test_a_long_name_is_broken_and_cut_under_the_axis_and_whole_beside_the_dot():
    long = "Klikanneet (henkilöt) ja muut jotka eivät mahdu viivan alle"
    points = [Range(f"{number} {long}", 0.1, 0.2, 0.3) for number in range(7)]
    tree = ET.fromstring(ranges(points, title="t", about="a", key="k", show=str))  # noqa: S314

    labels = [text.text for text in tree.iter("text") if text.get("text-anchor") == "middle"]
    assert 14 == len(labels)
    assert max(len(label) for label in labels) <= 640 / 7 / 6
    assert 7 == sum(long in (title.text or "") for title in tree.iter("title"))
