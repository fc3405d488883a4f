"""What the club says: a welcome, a tier that was reached, points that expire soon. Each once, and of an allowed class."""

from datetime import timedelta

import pytest

from campaign_svc.club import messages
from kantis_contracts.campaign import StepRequestedV1
from kantis_kit.ids import new_id
from kantis_kit.tx import write

SERVICE = {
    "kind": "message", "ways": [{"channel": "email", "template_id": str(new_id())}],
    "message_class": "service", "class_reason": "Of the membership",
}  # fmt: skip


async def choose(club, occasion, status=200, **changes):
    answer = await club.call(
        "PUT", f"/messages/{occasion}", json={"action": SERVICE | changes.pop("say", {})} | changes
    )
    assert status == answer.status_code, answer.text
    return answer.json()


def told(club):
    return [
        (event.asker.step, one.person_id, one.facts)
        for event in club.rig.published(StepRequestedV1)
        for one in event.items
    ]


async def test_who_joins_is_welcomed_once_with_the_number(club):
    await choose(club, "welcome", say={"message_class": "transactional"})
    per = new_id()
    number = (await club.joins(per)).json()["number"]
    await club.joins(per)
    await club.rig.drain()

    assert [("welcome", per, {"member_number": number})] == told(club)
    [event] = club.rig.published(StepRequestedV1)
    assert ("club", "transactional") == (event.asker.kind, event.message_class.value)


async def test_a_tier_is_told_when_it_is_reached_and_not_again_that_year(club):
    await choose(club, "tier_reached")
    await club.pays(club.kari, 50_000)
    before = told(club)
    order = await club.pays(club.kari, 60_000)
    body = {"items": [{"order_id": str(order.order_id), "returned_minor": 60_000}]}
    assert 204 == (await club.call("POST", "/returns", json=body)).status_code
    await club.pays(club.kari, 70_000)

    assert [] == before
    facts = {"member_number": club.number, "tier": "Gold", "points": "110"}
    assert [("tier_reached", club.kari, facts)] == told(club)


async def test_points_that_expire_soon_are_told_once_a_month_less_what_was_spent(club):
    await choose(club, "points_expiring", days_before=30)
    await club.pays(club.kari, 50_000)
    club.rig.clock.advance(timedelta(days=3))
    await club.pays(club.kari, 10_000)
    await club.call("POST", f"{club.me}/spendings", json={"points": 15, "reason": "Coffee"})

    async def look():
        async with write(club.rig.service.scope) as tx:
            await messages.tell_expiring(tx)
        await club.rig.drain()

    club.rig.clock.advance(timedelta(days=365 - 3 - 31))
    await look()
    early = told(club)
    for _ in range(3):
        club.rig.clock.advance(timedelta(days=2))
        await look()

    assert [] == early
    [(occasion, person_id, facts)] = told(club)
    assert ("points_expiring", club.kari, "45") == (occasion, person_id, facts["points"])


@pytest.mark.parametrize(
    ("occasion", "message_class"),
    [("tier_reached", "transactional"), ("points_expiring", "transactional")],
)
async def test_a_class_that_the_occasion_is_no_reason_for_is_refused(club, occasion, message_class):
    refused = await choose(club, occasion, 422, say={"message_class": message_class})

    assert refused["type"].endswith("class-not-allowed")
    assert "it allows service" in refused["detail"]


async def test_what_is_chosen_is_shown_and_ends(club):
    first, second = await choose(club, "welcome"), await choose(club, "welcome")
    shown = (await club.call("GET", "/messages")).json()
    dropped = await club.call("DELETE", "/messages/welcome")
    again = await club.call("DELETE", "/messages/welcome")
    await club.joins(new_id())
    await club.rig.drain()

    assert (1, 2) == (first["version"], second["version"])
    assert [("welcome", 2)] == [(one["occasion"], one["version"]) for one in shown]
    assert (204, 404) == (dropped.status_code, again.status_code)
    assert [] == told(club)
