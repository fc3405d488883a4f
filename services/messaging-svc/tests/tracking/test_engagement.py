"""Clicks and openings: kept as evidence, judged carefully, and never a way to lead people elsewhere."""

import asyncio
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantis_contracts.messaging import LinkClickedV1, MessageOpenedV1, PermissionWithdrawnV1
from kantis_kit.ids import new_id
from kantis_kit.testing.rig import LINK_KEYS
from messaging_svc.links import TrackingTokens
from messaging_svc.tracking.fast import FastVisits
from messaging_svc.tracking.together import Visits
from messaging_svc.tracking.verdicts import Evidence, Verdict, ip_prefix, judge

BROWSER = {"user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0"}
TOKENS = TrackingTokens.from_text(LINK_KEYS)


async def _mailed(house):
    await house.save_template()
    kari = house.person(0)
    await house.know(kari)
    await house.rig.publish(house.launch([kari.person_id]))
    (row,) = await house.until_ended()
    (mail,) = house.mails()
    html = mail.get_body(("html",)).get_content()
    links = [
        path.removeprefix("http://kantis.test")
        for path in re.findall(r'(?:href|src)="([^"]+)"', html)
    ]
    return row, links


async def test_a_click_of_a_person_leads_on_and_is_counted_as_one(house):
    row, links = await _mailed(house)
    house.rig.clock.advance(timedelta(minutes=5))

    async with house.rig.anonymous() as browser:
        shop = await browser.get(links[0], headers=BROWSER)
        answer = await browser.get(links[1], headers=BROWSER)
    await house.rig.drain()

    assert (302, "https://shop.example/lamps?x=1&y=2") == (
        shop.status_code,
        shop.headers["location"],
    )
    assert (302, "http://kantis.test/r/C0DE0000") == (
        answer.status_code,
        answer.headers["location"],
    )
    clicks = house.rig.items(LinkClickedV1)
    assert ["human", "human"] == [click.verdict for click in clicks]
    assert {(row["id"], row["person_id"])} == {
        (click.message_id, click.person_id) for click in clicks
    }
    assert all(click.campaign_id and click.cell_id for click in clicks)


async def test_an_opening_answers_with_a_picture_and_is_counted(house):
    _, links = await _mailed(house)
    house.rig.clock.advance(timedelta(minutes=5))
    (pixel,) = [path for path in links if path.startswith("/o/")]

    async with house.rig.anonymous() as reader:
        answer = await reader.get(pixel, headers=BROWSER)
    await house.rig.drain()

    assert (200, "image/gif") == (answer.status_code, answer.headers["content-type"])
    assert answer.content.startswith(b"GIF89a")
    assert ["human"] == [item.verdict for item in house.rig.items(MessageOpenedV1)]


@pytest.mark.parametrize("wait", [0, 1, 10])
async def test_a_scanner_that_opens_every_link_is_no_person_and_unsubscribes_nobody(house, wait):
    _, links = await _mailed(house)
    house.rig.clock.advance(timedelta(seconds=wait))

    async with house.rig.anonymous() as scanner:
        for path in links:
            if path.startswith("/p/"):
                continue
            await scanner.head(path, headers=BROWSER)
            await scanner.get(path, headers=BROWSER)
    await house.rig.drain()

    clicks = house.rig.items(LinkClickedV1)
    assert 4 == len(clicks)
    assert not [click for click in clicks if click.verdict == "human"]
    assert [] == house.rig.items(PermissionWithdrawnV1)
    pool = await house.rig.service.database.pool()
    assert 0 == await pool.fetchval("SELECT count(*) FROM withdrawal")


@pytest.mark.slow
@pytest.mark.timeout(1_800)
async def test_a_scanner_of_fifty_addresses_in_a_thousand_mails_is_no_person_and_says_no_for_nobody(
    house,
):
    await house.save_template()
    people = [house.person(n) for n in range(1_000)]
    for start in range(0, 1_000, 250):
        await house.know(*people[start : start + 250])
    await house.rig.publish(house.launch([one.person_id for one in people]))
    await house.until_ended(1_000)
    mails = [
        re.findall(r'="http://kantis\.test(/[cou]/[^"]+)"', mail.get_body(("html",)).get_content())
        for mail in house.mails()
    ]
    async with house.rig.anonymous() as scanner:
        for number, links in enumerate(mails):
            if number % 100 == 0:
                house.rig.clock.advance(timedelta(seconds=1))
            for turn, path in enumerate(links):
                network = BROWSER | {"x-forwarded-for": f"203.0.{(number + turn) % 50}.7"}
                await scanner.head(path, headers=network)
                await scanner.get(path, headers=network)
    await house.rig.drain()

    assert {4} == {len(links) for links in mails}
    verdicts = {item.verdict for item in house.rig.items(LinkClickedV1)}
    assert verdicts <= {"machine", "suspect"}
    assert [] == house.rig.items(PermissionWithdrawnV1)
    pool = await house.rig.service.database.pool()
    assert 0 == await pool.fetchval("SELECT count(*) FROM withdrawal")
    assert 1_000 == await pool.fetchval("SELECT count(DISTINCT message_id) FROM engagement")


async def test_evidence_is_kept_without_the_whole_address_of_the_visitor(house):
    _, links = await _mailed(house)
    house.rig.clock.advance(timedelta(minutes=1))
    async with house.rig.anonymous() as browser:
        await browser.get(links[0], headers=BROWSER | {"x-forwarded-for": "203.0.113.77, 10.0.0.1"})

    pool = await house.rig.service.database.pool()
    kept = await pool.fetchrow("SELECT * FROM engagement")

    assert ("203.0.113.0/24", "GET", 60_000) == (
        kept["ip_prefix"],
        kept["method"],
        kept["delay_ms"],
    )
    assert BROWSER["user-agent"] == kept["user_agent"]


async def test_forged_tokens_and_addresses_in_the_request_lead_nowhere(house):
    row, links = await _mailed(house)
    token = links[0].removeprefix("/c/")
    wrong = [
        token[:-1] + ("A" if token[-1] != "A" else "B"), token[:-2], "", "//evil.example", "\\\\evil.example",
        "javascript:alert(1)", TOKENS.make("o", row["id"]), TOKENS.make("c", new_id()), TOKENS.make("c", row["id"], 9),
        TrackingTokens.from_text("1:" + "00" * 32).make("c", row["id"]),
    ]  # fmt: skip

    async with house.rig.anonymous() as stranger:
        answers = [await stranger.get(f"/c/{one}?url=https://evil.example") for one in wrong]
    await house.rig.drain()

    assert {404} == {answer.status_code for answer in answers}
    assert [] == house.rig.items(LinkClickedV1)


def test_an_old_key_still_reads_what_it_signed():
    old, new = (
        TrackingTokens.from_text("1:" + "11" * 32),
        TrackingTokens.from_text("2:" + "22" * 32 + ",1:" + "11" * 32),
    )
    message = new_id()

    assert (message, 7) == new.read("c", old.make("c", message, 7))
    assert 36 == len(new.make("c", message, 7))
    assert None is old.read("c", new.make("c", message, 7))


@given(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 250),
    st.integers(0, 26),
    st.integers(1, 255),
)
def test_no_changed_byte_of_a_token_is_overlooked(message, link, place, change):
    import base64
    from uuid import UUID

    raw = bytearray(base64.urlsafe_b64decode(TOKENS.make("c", UUID(bytes=message), link)))
    raw[place] ^= change

    assert None is TOKENS.read("c", base64.urlsafe_b64encode(bytes(raw)).decode())


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (Evidence("HEAD", "Mozilla/5.0", 500.0), Verdict.MACHINE),
        (Evidence("GET", "", 500.0), Verdict.MACHINE),
        (Evidence("GET", "Barracuda Sentinel (EE)", 500.0), Verdict.MACHINE),
        (Evidence("GET", "Mozilla/5.0", None), Verdict.MACHINE),
        (Evidence("GET", "Mozilla/5.0", 1.9), Verdict.MACHINE),
        (Evidence("GET", "Mozilla/5.0", 9.0), Verdict.SUSPECT),
        (Evidence("GET", "Mozilla/5.0", 500.0, 3), Verdict.SUSPECT),
        (Evidence("GET", "Mozilla/5.0", 500.0, 2), Verdict.HUMAN),
    ],
)
def test_who_it_was(evidence, verdict):
    assert verdict == judge(evidence)[0]


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("0.0.0.255", "0.0.0.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "::/48"),
        ("203.0.113", ""),
        ("203.0.113.256", ""),
        ("203.0.113.077", ""),
        ("203.0.113.77\x00", ""),
        ("203.0.113.7é", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_only_the_network_of_an_address_is_kept(address, kept):
    assert kept == ip_prefix(address)


async def test_visits_that_come_together_are_kept_each_and_judged_by_all_that_came(house):
    _, links = await _mailed(house)
    house.rig.clock.advance(timedelta(minutes=5))
    clicks = [path for path in links if path.startswith("/c/")]
    (pixel,) = [path for path in links if path.startswith("/o/")]

    async with house.rig.anonymous() as browser:
        paths = [*clicks, *clicks, pixel, TOKENS.make("c", new_id()), pixel]
        answers = await asyncio.gather(*(browser.get(path, headers=BROWSER) for path in paths))
    await house.rig.drain()

    assert [302] * 2 * len(clicks) + [200, 404, 200] == [one.status_code for one in answers]
    assert 2 * len(clicks) == len(house.rig.items(LinkClickedV1))
    assert ["human", "human"] == [item.verdict for item in house.rig.items(MessageOpenedV1)]


async def test_clicks_and_openings_that_come_together_share_their_groups(house, monkeypatch):
    _, links = await _mailed(house)
    (pixel,) = [path for path in links if path.startswith("/o/")]
    groups, keep = [], Visits._keep

    async def keeping(self, tx, kept):
        groups.append({row.kind for row, _ in kept})
        await keep(self, tx, kept)

    monkeypatch.setattr(Visits, "_keep", keeping)
    async with house.rig.anonymous() as browser:
        paths = [links[0], pixel] * 8
        answers = await asyncio.gather(*(browser.get(path, headers=BROWSER) for path in paths))

    assert [302, 200] * 8 == [one.status_code for one in answers]
    assert {"click", "open"} in groups


async def test_the_short_way_and_the_page_give_the_same_answers(house, monkeypatch):
    row, links = await _mailed(house)
    house.rig.clock.advance(timedelta(minutes=5))
    asked = [
        (method, path) for path in links if path[:3] in ("/c/", "/o/") for method in ("GET", "HEAD")
    ] + [("GET", f"/c/{TOKENS.make('c', row['id'], 9)}"), ("GET", "/c/none")]

    async def answers():
        async with house.rig.anonymous() as browser:
            return [await browser.request(*one, headers=BROWSER) for one in asked]

    short = await answers()
    monkeypatch.setattr(FastVisits, "_visit", lambda *_: None)
    page = await answers()
    await house.rig.drain()

    def told(answer):
        own = {k: v for k, v in answer.headers.items() if k not in ("x-correlation-id", "date")}
        is_answer = answer.status_code < 400
        return answer.status_code, own if is_answer else None, answer.content if is_answer else None

    assert [told(one) for one in page] == [told(one) for one in short]
    pool = await house.rig.service.database.pool()
    kept = await pool.fetch(
        "SELECT kind, link, method, ip_prefix, user_agent, delay_ms, count(*) AS times FROM engagement GROUP BY 1, 2, 3, 4, 5, 6"
    )
    assert kept
    assert {2} == {one["times"] for one in kept}


async def test_a_visit_that_the_group_cannot_keep_goes_to_the_page(house, monkeypatch):
    _, links = await _mailed(house)
    house.rig.clock.advance(timedelta(minutes=5))

    async def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(Visits, "_keep", fail)
    async with house.rig.anonymous() as browser:
        answer = await browser.get(links[0], headers=BROWSER)
    await house.rig.drain()

    assert 302 == answer.status_code
    assert 1 == len(house.rig.items(LinkClickedV1))
