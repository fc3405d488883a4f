"""Who brings a customer is rewarded once, by the first paid order; what looks like one's own is not."""

import itertools
from datetime import timedelta
from types import SimpleNamespace

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.contacts import PersonCard, PersonChangedV1
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_contracts.orders import OrderCancelledV1, OrderCard, OrderPaidV1
from kantis_contracts.values import PostalAddress
from kantis_kit.ids import new_id

CLUB = {
    "currency": "NOK",
    "minor_per_point": 10**6,
    "tiers": [{"key": "all", "name": "All", "from_points": 0}],
}
TERMS = {"texts": dict.fromkeys(("nb", "sv", "da", "fi", "en"), "Vilkår")}


@pytest.fixture
async def house(rig_for):
    """Return a rig with rules of referral, Kari who is a member, and how to call, claim and pay."""
    rig = await rig_for(SPEC)

    async def call(method, path, **more):
        async with rig.client() as client:
            return await client.request(method, f"/v1{path}", **more)

    async def series(name):
        body = {"name": name, "kind": "percent", "value_pct": 10}
        return (await call("POST", "/coupon-series", json=body)).json()["id"]

    rules = {
        "landing_url": "https://www.example.com/friends?x=1", "points": 100, "most_per_day": 3,
        "referrer_series_id": await series("thanks"), "referred_series_id": await series("welcome"),
    }  # fmt: skip
    await call("PUT", "/referrers/rules", json=rules)
    await call("POST", "/club/terms", json=TERMS)
    await call("PUT", "/club/rules", json=CLUB)
    kari = new_id()
    joined = await call("POST", "/club/members", json={"person_id": str(kari), "terms_version": 1})
    number = joined.json()["number"]

    async def refers(person_id):
        return (await call("POST", "/referrers", json={"person_id": str(person_id)})).json()

    async def comes(code, person_id):
        body = {"person_id": str(person_id)}
        return (await call("POST", f"/referrers/{code}/referrals", json=body)).json()

    async def tells(*events):
        await rig.publish(*events)
        await rig.drain()

    async def pays(person_id):
        card = OrderCard(
            order_id=new_id(), version=1, number="1", person_id=person_id, total_minor=1_000, currency="NOK",
            changed_at=rig.clock.now(),
        )  # fmt: skip
        await tells(OrderPaidV1(items=(card,)))
        return card

    async def balance():
        return (await call("GET", f"/club/members/{number}")).json()["balance"]

    async def state(code):
        return [one["state"] for one in (await call("GET", f"/referrers/{code}/referrals")).json()]

    return SimpleNamespace(
        rig=rig, call=call, kari=kari, refers=refers, comes=comes, pays=pays, tells=tells,
        balance=balance, state=state, rules=rules,
    )  # fmt: skip


async def given(house, which):
    path = f"/coupon-series/{house.rules[which]}/codes"
    return [one["person_id"] for one in (await house.call("GET", path)).json()["items"]]


async def test_the_first_paid_order_rewards_both_once_and_a_cancelled_one_takes_the_points_back(
    house,
):
    referrer, per = await house.refers(house.kari), new_id()
    again = await house.refers(house.kari)
    claimed = await house.comes(referrer["code"], per)
    card = await house.pays(per)
    rewarded = await house.balance()
    await house.pays(per)
    twice = await house.balance()
    await house.tells(OrderCancelledV1(items=(card,)))

    assert referrer == again
    assert f"https://www.example.com/friends?x=1&ref={referrer['code']}" == referrer["url"]
    assert ("claimed", "") == (claimed["state"], claimed["why"])
    assert [100, 100, 0] == [rewarded, twice, await house.balance()]
    assert [str(per)] == await given(house, "referred_series_id")
    assert ["taken_back"] == await house.state(referrer["code"])
    # Kari joined the club; nobody is written to.
    told = {one.type for one in house.rig.envelopes if one.source == "campaign"}
    assert {"campaign.member.changed.v1"} == told


async def test_who_is_no_customer_refers_too_and_gets_a_coupon(house):
    ola, per = new_id(), new_id()
    code = (await house.refers(ola))["code"]
    await house.comes(code, per)
    await house.pays(per)
    assert [str(ola)] == await given(house, "referrer_series_id")
    assert ["rewarded"] == await house.state(code)


async def test_an_order_that_is_cancelled_before_its_payment_is_told_rewards_nobody(house):
    per, code = new_id(), (await house.refers(house.kari))["code"]
    await house.comes(code, per)
    card = OrderCard(
        order_id=new_id(), version=2, number="1", person_id=per, total_minor=1_000, currency="NOK",
        changed_at=house.rig.clock.now(),
    )  # fmt: skip
    await house.tells(OrderCancelledV1(items=(card,)))
    await house.tells(OrderPaidV1(items=(card,)))
    assert (["claimed"], 0) == (await house.state(code), await house.balance())
    await house.pays(per)
    assert (["rewarded"], 100) == (await house.state(code), await house.balance())


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ({"email": "Kari.Nes+friend@gmail.com"}, "same mailbox"),
        ({"phone": "+47 412 34 567"}, "same telephone"),
        ({"address": PostalAddress(street="STORGATA 1", postal_code="0155")}, "same address"),
    ],
    ids=["mailbox", "telephone", "address"],
)
async def test_what_is_the_referrers_own_is_refused_also_when_the_card_comes_after_the_claim(
    house, theirs, said
):
    per, ola = new_id(), new_id()
    own = PersonCard(
        person_id=house.kari, version=1, email="karines@googlemail.com", phone="+4741234567",
        address=PostalAddress(street="Storgata 1", postal_code="0155", city="Oslo"),
    )  # fmt: skip
    cards = [PersonCard(person_id=one, version=1, **theirs) for one in (per, ola)]
    await house.tells(PersonChangedV1(items=(own, cards[0])))
    code = (await house.refers(house.kari))["code"]

    at_once = await house.comes(code, per)
    late = await house.comes(code, ola)
    await house.tells(PersonChangedV1(items=(cards[1],)))
    await house.pays(ola)

    assert ("refused", "claimed") == (at_once["state"], late["state"])
    assert said in at_once["why"]
    assert ["refused", "refused"] == await house.state(code)
    assert 0 == await house.balance()


async def test_oneself_a_circle_and_an_old_customer_are_refused_in_words(house):
    codes = {house.kari: (await house.refers(house.kari))["code"]}
    chain = [house.kari, new_id(), new_id()]
    for above, below in itertools.pairwise(chain):
        assert "claimed" == (await house.comes(codes[above], below))["state"]
        codes[below] = (await house.refers(below))["code"]
    customer = new_id()
    await house.pays(customer)

    refused = [
        await house.comes(codes[house.kari], house.kari),
        await house.comes(codes[chain[-1]], house.kari),
        await house.comes(codes[house.kari], customer),
    ]

    assert ["refused"] * 3 == [one["state"] for one in refused]
    for word, one in zip(
        ("themselves", "directly or by others", "customer before"), refused, strict=True
    ):
        assert word in one["why"]


async def test_many_in_a_day_wait_for_a_person_whose_yes_rewards_what_was_paid_meanwhile(house):
    code = (await house.refers(house.kari))["code"]
    people = [new_id() for _ in range(5)]
    claims = [await house.comes(code, one) for one in people]
    await house.pays(people[3])
    waiting = await house.balance()
    path = f"/referrers/{code}/referrals"
    accepted, refused, twice = [
        await house.call(
            "POST", f"{path}/{claims[n]['id']}/decision", json={"accept": yes, "reason": "a choir"}
        )
        for n, yes in ((3, True), (4, False), (4, True))
    ]
    house.rig.clock.advance(timedelta(days=1))
    tomorrow = await house.comes(code, new_id())

    assert ["claimed"] * 3 + ["held"] * 2 == [one["state"] for one in claims]
    assert (0, 100) == (waiting, await house.balance())
    assert ("rewarded", "refused") == (accepted.json()["state"], refused.json()["state"])
    assert 409 == twice.status_code
    assert "claimed" == tomorrow["state"]


async def test_who_has_come_once_keeps_that_referrer_and_unknown_codes_are_told(house):
    per = new_id()
    first = await house.comes((await house.refers(house.kari))["code"], per)
    other = await house.comes((await house.refers(new_id()))["code"], per)
    unknown = await house.call(
        "POST", "/referrers/0000000000/referrals", json={"person_id": str(per)}
    )
    assert first == other
    assert (404, "referrer-unknown") == (
        unknown.status_code,
        unknown.json()["type"].rsplit(":", 1)[-1],
    )


async def test_who_is_forgotten_neither_refers_nor_was_referred(house):
    code = (await house.refers(house.kari))["code"]
    per = new_id()
    await house.comes(code, per)
    await house.pays(per)
    for one in (per, house.kari):
        request = ErasureRequest(
            erasure_id=new_id(), person_ids=(one,), requested_at=house.rig.clock.now()
        )
        await house.tells(ErasureRequestedV1(items=(request,)))
    pool = await house.rig.service.database.pool()
    for table in ("referral", "referrer", "paid_order"):
        assert 0 == await pool.fetchval(f"SELECT count(*) FROM {table}")


async def test_a_reward_is_a_coupon_of_a_series_that_there_is(house):
    lost = {**house.rules, "referrer_series_id": str(new_id())}
    refused = await house.call("PUT", "/referrers/rules", json=lost)
    benefit = {"key": "mug", "name": "Mug", "series_id": str(new_id())}
    club = await house.call("PUT", "/club/rules", json={**CLUB, "benefits": [benefit]})
    assert [404, 404] == [refused.status_code, club.status_code]
