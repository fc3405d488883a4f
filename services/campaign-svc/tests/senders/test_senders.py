"""What receivers find of the domain that campaigns write from, in the pre-flight."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from campaign_svc.campaigns.judgement import Plan, judge
from campaign_svc.campaigns.routing import CellPlan, Way
from campaign_svc.main import SPEC
from campaign_svc.thresholds.limits import DEFAULTS, Limit
from kantis_contracts.contacts import ChannelReach, ReachCountedV1
from kantis_contracts.messaging import (
    SenderCheck,
    SenderCheckedV1,
    SenderFinding,
    TemplateCheck,
    TemplateCheckedV1,
)
from kantis_contracts.values import Channel
from kantis_kit.clock import FrozenClock
from kantis_kit.ids import new_id

NOW = FrozenClock().now()
BAD = SenderFinding(check="alignment", verdict="error", detail="neither fits")
DOUBT = SenderFinding(check="spf", verdict="warning", detail="it does not name mx")
GOOD = SenderFinding(check="dkim", verdict="good")


def checked(*findings, hours=0, **changes):
    values = {"domain": "lys.no", "is_ours": True, "findings": findings, "checked_at": NOW - timedelta(hours=hours)}  # fmt: skip
    return SenderCheck(**(values | changes))


def plan(channel):
    cell = CellPlan(UUID(int=1), 100, (Way(channel, UUID(int=9), 0),), ())
    return Plan(
        budget_minor=None, not_after=None, expected_response_pct=Decimal(2), cells=(cell,), stock={}, has_offer=False
    )  # fmt: skip


def found(sender, mails, channel=Channel.EMAIL, limits=DEFAULTS):
    counted = ReachCountedV1(
        preflight_id=UUID(int=1), campaign_id=UUID(int=2), segment_id=UUID(int=3), members=mails,
        items=(ChannelReach(channel=channel, reachable=mails),),
    )  # fmt: skip
    told = judge(plan(channel), counted, (), sender, now=NOW, limits=limits).findings
    return [(one.code, one.level, one.count) for one in told if one.code.startswith("sender_")]


@pytest.mark.parametrize(
    ("sender", "mails", "code", "level"),
    [
        (checked(BAD, GOOD), 1, "sender_not_in_order", "yellow"),
        (checked(BAD, GOOD), 5_001, "sender_not_in_order", "red"),
        (checked(DOUBT), 5_000, "sender_doubtful", "green"),
        (checked(DOUBT), 5_001, "sender_doubtful", "yellow"),
        (None, 5_000, "sender_unchecked", "green"),
        (None, 5_001, "sender_unchecked", "yellow"),
        (checked(GOOD, hours=7 * 24 + 1), 5_001, "sender_unchecked", "yellow"),
    ],
    ids=range(7),
)
def test_a_sender_that_receivers_will_not_believe_weighs_by_how_many_mails_there_are(
    sender, mails, code, level
):
    assert [(code, level, mails)] == found(sender, mails)


def test_a_sender_in_order_is_not_mentioned_and_neither_is_any_where_no_mail_leaves():
    assert [] == found(checked(GOOD), 10_000)
    assert [] == found(checked(BAD), 10_000, channel=Channel.SMS)


def test_the_company_says_from_how_many_mails_on_a_launch_is_forbidden():
    own = {**DEFAULTS, "sender_not_in_order": Limit(10, 100)}

    levels = [found(checked(BAD), mails, limits=own)[0][1] for mails in (10, 11, 101)]

    assert ["green", "yellow", "red"] == levels


async def _preflight(rig, client, path):
    made = (await client.post(f"{path}/preflights")).json()
    await rig.drain()
    of_it = {"preflight_id": made["id"], "campaign_id": made["campaign_id"]}
    check = TemplateCheck(cell_id=new_id(), channel="email", template_id=new_id())
    reach = ChannelReach(channel=Channel.EMAIL, reachable=20)
    await rig.publish(
        ReachCountedV1(segment_id=UUID(int=5), members=20, items=(reach,), **of_it),
        TemplateCheckedV1(items=(check,), **of_it),
    )
    await rig.drain()
    return (await client.get(f"{path}/preflights/{made['id']}")).json()


async def test_a_preflight_shows_the_latest_check_of_our_own_domain(rig_for):
    rig = await rig_for(SPEC)
    rig.clock.set(NOW)
    other = checked(BAD, domain="annet.no", is_ours=False)
    await rig.publish(SenderCheckedV1(items=(checked(BAD, hours=1), other)))
    await rig.publish(SenderCheckedV1(items=(checked(GOOD, hours=2),)), copies=2)
    await rig.drain()

    async with rig.client() as client:
        body = {"name": "Vår", "segment_id": str(UUID(int=5)), "currency": "NOK"}
        path = f"/v1/campaigns/{(await client.post('/v1/campaigns', json=body)).json()['id']}"
        cell = {"name": "A", "share_pct": 100, "template_id": str(UUID(int=9))}
        await client.post(f"{path}/cells", json=cell)
        first = await _preflight(rig, client, path)
        limits = {"yellow": 1, "red": 10}
        await client.put("/v1/preflight-thresholds/sender_not_in_order", json=limits)
        second = await _preflight(rig, client, path)
        await rig.publish(SenderCheckedV1(items=(checked(GOOD),)))
        await rig.drain()
        third = await _preflight(rig, client, path)

    told = [
        [(one["code"], one["level"], one["text"]) for one in report["findings"] if "sender" in one["code"]]
        for report in (first, second, third)
    ]  # fmt: skip
    text = "Mails from lys.no, ALIGNMENT: neither fits."
    assert [
        [("sender_not_in_order", "yellow", text)],
        [("sender_not_in_order", "red", text)],
        [],
    ] == told
