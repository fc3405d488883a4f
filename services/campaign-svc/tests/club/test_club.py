"""Members join under terms, are recognised, earn points, and lose them with what comes back or by the clock."""

import asyncio
from datetime import timedelta

import pytest

from campaign_svc.club import points
from kantis_contracts.campaign import CampaignDossierAnsweredV1, MemberChangedV1
from kantis_contracts.contacts import PersonMergedV1
from kantis_contracts.contacts.privacy import (
    DossierRequest,
    DossierRequestedV1,
    ErasureRequest,
    ErasureRequestedV1,
)
from kantis_contracts.orders import (
    OrderCancelledV1,
    OrderPaidV1,
    OrderReturn,
    OrderReturnedV1,
    OrderUnpaidV1,
)
from kantis_kit.ids import new_id
from kantis_kit.testing.merges import Register
from kantis_kit.tx import write


async def balance(club):
    return (await club.call("GET", club.me)).json()["balance"]


async def test_who_joins_agrees_to_the_present_terms_and_is_one_member_however_often(club):
    await club.call(
        "POST", "/terms", json={"texts": dict.fromkeys(("nb", "sv", "da", "fi", "en"), "2")}
    )
    per = new_id()

    old = await club.joins(per)
    twice = await asyncio.gather(*(club.joins(per, terms_version=2) for _ in range(5)))
    again = await club.joins(club.kari)

    assert (409, "club-terms-old") == (old.status_code, old.json()["type"].rsplit(":", 1)[-1])
    assert "version 2" in old.json()["detail"]
    assert 1 == len({one.json()["number"] for one in twice})
    assert (club.number, 1) == (again.json()["number"], again.json()["terms_version"])


async def test_joining_and_leaving_are_told_once_each_and_a_membership_is_no_consent(club):
    await club.joins(club.kari)
    for _ in range(2):
        await club.call("DELETE", club.me)
    await club.rig.drain()
    told = club.rig.items(MemberChangedV1)
    assert [(club.kari, True), (club.kari, False)] == [
        (one.person_id, one.is_member) for one in told
    ]
    assert [] == [one.type for one in club.rig.envelopes if "permission" in one.type]
    assert all("consent" not in name for name in (await club.call("GET", club.me)).json())


@pytest.mark.parametrize(
    "asked",
    [
        {"phone": "+47 412 34 567"},
        {"phone": "0047 41234567"},
        {"phone": "412 34 567"},
        {"name": "kari  NORD"},
        {"number": ""},
    ],
    ids=["in full", "as dialled abroad", "as said", "name", "number"],
)
async def test_a_member_is_recognised_by_number_telephone_or_name(club, asked):
    if "number" in asked:
        asked = {"number": f"{club.number[:5]}-{club.number[5:].lower()}"}
    found = (await club.call("GET", "/members", params=asked)).json()
    assert [(club.number, "Kari Nordmann")] == [(one["number"], one["name"]) for one in found]


async def test_what_is_no_member_is_not_found_and_one_question_is_asked_at_a_time(club):
    for asked in ({"phone": "99999999"}, {"name": "%"}, {"name": "Ola"}, {"number": "0000000000"}):
        found = (await club.call("GET", "/members", params=asked)).json()
        assert [] == [one for one in found if asked.get("name") != "%"]
    both = await club.call("GET", "/members", params={"name": "Kari", "phone": "41234567"})
    none = await club.call("GET", "/members/0000000000")
    assert [422, 404] == [both.status_code, none.status_code]
    drawn = await club.call("GET", f"{club.me}/qr")
    assert drawn.text.count("<path") == 1


async def test_points_follow_paid_orders_and_a_higher_tier_earns_more(club):
    await club.pays(club.kari, 100_999)
    first = (await club.call("GET", club.me)).json()
    await club.pays(club.kari, 10_000)
    await club.pays(
        club.kari, 10_000, currency="SEK"
    )  # the rules say what a krone earns, not what a krona does
    await club.pays(new_id(), 10_000)  # nobody's

    after = (await club.call("GET", club.me)).json()
    assert (100, "gold") == (first["balance"], first["tier"])
    assert (120, 120) == (after["balance"], after["year_points"])


async def test_points_of_an_order_whose_money_was_taken_back_go_until_it_is_paid_anew(club):
    card = await club.pays(club.kari, 50_000)
    back = card.model_copy(update={"version": 2})
    await club.rig.publish(OrderUnpaidV1(items=(back,)), OrderPaidV1(items=(card,)))
    await club.rig.drain()
    gone = await balance(club)
    await club.rig.publish(OrderPaidV1(items=(card.model_copy(update={"version": 3}),)))
    await club.rig.drain()

    assert (0, 50) == (gone, await balance(club))
    entries = (await club.call("GET", f"{club.me}/points")).json()["items"]
    assert [("paid", 50), ("unpaid", -50), ("paid", 50)] == [
        (one["reason"], one["points"]) for one in entries
    ]


async def test_points_for_an_order_that_is_returned_after_they_were_spent_leave_a_debt_that_says_so(
    club,
):
    card = await club.pays(club.kari, 50_000)
    spent = await club.call("POST", f"{club.me}/spendings", json={"points": 40, "reason": "mug"})
    item = {"order_id": str(card.order_id), "returned_minor": 50_000}
    for _ in range(2):  # told twice
        await club.call("POST", "/returns", json={"items": [item]})
    owing = (await club.call("GET", club.me, params={"language": "nb"})).json()
    more = await club.call("POST", f"{club.me}/spendings", json={"points": 1, "reason": "mug"})
    await club.pays(club.kari, 45_000)

    assert (10, 0) == (spent.json()["balance"], spent.json()["owed"])
    assert (-40, 40) == (owing["balance"], owing["owed"])
    assert owing["standing"].startswith("Saldoen er minus 40 poeng: varer kom i retur")
    assert (409, -40) == (more.status_code, more.json()["balance"])
    assert 5 == await balance(club)
    entries = (await club.call("GET", f"{club.me}/points")).json()["items"]
    assert [45, -50, -40, 50] == [one["points"] for one in entries]


async def test_a_part_that_comes_back_takes_its_share_and_a_cancelled_order_all(club):
    card = await club.pays(club.kari, 50_000)
    item = {"order_id": str(card.order_id), "returned_minor": 20_000}
    await club.call("POST", "/returns", json={"items": [item]})
    part = await balance(club)
    await club.rig.publish(OrderCancelledV1(items=(card,)))
    await club.rig.drain()
    assert (30, 0) == (part, await balance(club))


@pytest.mark.parametrize("is_told_first", [True, False])
async def test_goods_that_were_credited_take_their_share_in_whatever_order_it_is_told(
    club, is_told_first
):
    order_id = new_id()
    credited = [
        OrderReturn(
            return_id=new_id(),
            order_id=order_id,
            number=f"1-R{n}",
            person_id=club.kari,
            refund_minor=10_000,
            returned_minor=n * 10_000,
            currency="NOK",
            returned_at=club.rig.clock.now(),
        )
        for n in (2, 1)
    ]
    if is_told_first:
        await club.rig.publish(OrderReturnedV1(items=tuple(credited)))
        await club.rig.drain()
    await club.pays(club.kari, 50_000, order_id=order_id)
    for one in credited:
        await club.rig.publish(OrderReturnedV1(items=(one,)))
    await club.rig.drain()
    assert 30 == await balance(club)


async def test_an_order_that_is_cancelled_before_its_payment_is_told_earns_nothing(club):
    order_id = new_id()
    card = await club.pays(new_id(), 1_000)  # an order of another, for its shape
    card = card.model_copy(update={"order_id": order_id, "person_id": club.kari})
    await club.rig.publish(OrderCancelledV1(items=(card,)))
    await club.rig.drain()
    await club.pays(club.kari, 50_000, order_id=order_id)
    assert 0 == await balance(club)


async def test_of_many_tills_that_spend_at_once_only_as_many_succeed_as_there_are_points_for(club):
    await club.pays(club.kari, 50_000)
    body = {"points": 20, "reason": "mug"}
    answers = await asyncio.gather(
        *(club.call("POST", f"{club.me}/spendings", json=body) for _ in range(6))
    )
    assert [200, 200, 409, 409, 409, 409] == sorted(one.status_code for one in answers)
    assert 10 == await balance(club)


async def test_what_is_not_spent_in_time_expires_and_what_came_back_is_not_taken_twice(club):
    old = await club.pays(club.kari, 60_000)
    club.rig.clock.advance(timedelta(days=100))
    await club.call("POST", f"{club.me}/spendings", json={"points": 10, "reason": "mug"})
    await club.pays(club.kari, 40_000)
    item = {"order_id": str(old.order_id), "returned_minor": 20_000}
    await club.call("POST", "/returns", json={"items": [item]})
    assert 70 == await balance(club)

    club.rig.clock.advance(timedelta(days=265, hours=1))
    await expired(club)
    after_old = await balance(club)
    club.rig.clock.advance(timedelta(days=101))
    await expired(club)

    assert (40, 0) == (after_old, await balance(club))


async def expired(club):
    """Run the job as its clock would, twice: the second time there is nothing left to do."""
    for _ in range(2):
        async with write(club.rig.service.scope, actor="clock") as tx:
            await points.expire(tx)


async def test_benefits_cost_points_and_belong_to_tiers(club):
    series = {"name": "Mug", "kind": "gift", "gift": "a mug"}
    async with club.rig.client() as client:
        series_id = (await client.post("/v1/coupon-series", json=series)).json()["id"]
    rules = (await club.call("GET", "/rules")).json()
    rules.pop("changed_at")
    rules["benefits"].append({"key": "mug", "name": "Mug", "points": 20, "series_id": series_id})
    await club.call("PUT", "/rules", json=rules)
    await club.pays(club.kari, 50_000)

    taken = (await club.call("POST", f"{club.me}/benefits/mug")).json()
    first = await club.call("POST", f"{club.me}/benefits/coffee", params={"language": "fi"})
    second = await club.call("POST", f"{club.me}/benefits/coffee")
    lounge = await club.call("POST", f"{club.me}/benefits/lounge")

    assert (10, 30) == (len(taken["code"]), taken["balance"])
    assert (200, 0) == (first.status_code, first.json()["balance"])
    assert (409, "points-short") == (second.status_code, second.json()["type"].rsplit(":", 1)[-1])
    assert 404 == lounge.status_code
    listed = (await club.call("GET", f"{club.me}/benefits")).json()
    assert ["coffee", "mug"] == [one["key"] for one in listed]


async def test_an_amount_beyond_all_measure_earns_points_all_the_same(club):
    rules = (await club.call("GET", "/rules")).json()
    rules.pop("changed_at")
    await club.call("PUT", "/rules", json={**rules, "minor_per_point": 1})
    await club.pays(club.kari, 10**12)
    assert 10**12 == await balance(club)


async def test_the_ledger_is_never_changed(club):
    await club.pays(club.kari, 50_000)
    pool = await club.rig.service.database.pool()
    with pytest.raises(Exception, match="never changed"):
        await pool.execute("UPDATE points_entry SET points = 5000")


async def test_a_merge_brings_two_memberships_and_their_points_together_and_gives_them_back(club):
    per = new_id()
    await club.joins(per)
    await club.pays(club.kari, 20_000)
    await club.pays(per, 10_000)
    register = Register([per, club.kari], club.rig.clock.now())
    merged = await after(club, register.merge(per, club.kari))
    again = await club.joins(per)
    apart = await after(club, register.undo(per))

    assert [30, 20] == [merged, apart]
    assert club.number == again.json()["number"]


async def after(club, told):
    """Return Kari's balance once it is told who she is."""
    await club.rig.publish(PersonMergedV1(items=(told,)))
    await club.rig.drain()
    return await balance(club)


async def test_who_is_forgotten_is_no_member_and_has_no_points_and_the_dossier_told_of_both(club):
    await club.pays(club.kari, 50_000)
    wanted = DossierRequest(dossier_id=new_id(), person_ids=(club.kari,))
    await club.rig.publish(DossierRequestedV1(items=(wanted,)))
    await club.rig.drain()
    request = ErasureRequest(
        erasure_id=new_id(), person_ids=(club.kari,), requested_at=club.rig.clock.now()
    )
    await club.rig.publish(ErasureRequestedV1(items=(request,)))
    await club.rig.drain()

    told = "".join(one.content for one in club.rig.items(CampaignDossierAnsweredV1))
    assert all(
        f'"{kind}"' in told for kind in ("member", "points_entry", "club_order", "person_mark")
    )
    assert 404 == (await club.call("GET", club.me)).status_code
    pool = await club.rig.service.database.pool()
    for table in ("member", "points_entry", "club_order", "person_mark"):
        assert 0 == await pool.fetchval(f"SELECT count(*) FROM {table}")
