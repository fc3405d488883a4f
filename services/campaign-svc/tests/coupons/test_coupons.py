"""A coupon is good for one time, and a till is told in plain words why it is not."""

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import zxingcpp

from campaign_svc.campaigns.codes import draw_code
from campaign_svc.main import SPEC
from kantis_contracts.codes import check_character
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_kit.ids import new_id

SPRING = {"name": "Spring", "kind": "amount", "value_minor": 5000, "currency": "NOK"}
TILL = {"place": "Bergen, till 1", "receipt": "1-1001"}


@pytest.fixture
async def shop(rig_for):
    """A service, its client, and a series with three printed codes."""
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        made = await client.post("/v1/coupon-series", json={**SPRING, "codes": 3})
        assert 201 == made.status_code, made.text
        series = made.json()
        codes = (await client.get(f"/v1/coupon-series/{series['id']}/codes")).json()["items"]
        yield rig, client, series, [one["code"] for one in codes]


def slug(answer):
    return answer.status_code, answer.json()["type"].rsplit(":", 1)[-1]


async def test_of_fifty_tills_at_once_one_takes_the_coupon_and_the_others_learn_where(shop):
    _, client, series, (code, *_) = shop
    tills = [{"place": f"Shop {n}", "receipt": f"{n}-7"} for n in range(50)]

    answers = await asyncio.gather(
        *(client.post(f"/v1/coupons/{code}/redemptions", json=one) for one in tills)
    )

    (winner,) = [one.json() for one in answers if one.status_code == 200]
    known = (await client.get(f"/v1/coupons/{code}")).json()
    assert (True, 5000) == (winner["is_new"], winner["value_minor"])
    assert known["redeemed_at"] == winner["redeemed_at"]
    refused = [one for one in answers if one.status_code != 200]
    assert {(409, "coupon-redeemed")} == {slug(one) for one in refused}
    assert {known["place"]} == {one.json()["place"] for one in refused}
    assert all(known["place"] in one.json()["detail"] for one in refused)
    shown = (await client.get(f"/v1/coupon-series/{series['id']}")).json()
    assert (3, 1) == (shown["codes"], shown["redeemed"])


async def test_a_till_that_lost_the_answer_gets_it_again_and_another_receipt_does_not(shop):
    _, client, _, (code, *_) = shop
    path = f"/v1/coupons/{code}/redemptions"

    first, again = [(await client.post(path, json=TILL)).json() for _ in range(2)]
    other = await client.post(path, json={**TILL, "receipt": "1-1002"})
    nameless = await client.post(path, json={"place": TILL["place"]})

    assert [True, False] == [first.pop("is_new"), again.pop("is_new")]
    assert first == again
    assert {(409, "coupon-redeemed")} == {slug(other), slug(nameless)}


async def test_two_tills_send_several_coupons_at_once_and_each_is_used_once(shop):
    _, client, _, codes = shop
    answers = await asyncio.gather(
        *(
            client.post(f"/v1/coupons/{code}/redemptions", json={"place": place, "receipt": "9"})
            for place, order in (("A", codes), ("B", codes[::-1]))
            for code in order
        )
    )
    assert [200] * 3 + [409] * 3 == sorted(one.status_code for one in answers)


async def test_the_till_reads_when_and_where_on_its_own_clock_and_in_its_language(shop):
    rig, client, _, (code, *_) = shop
    path = f"/v1/coupons/{code.lower()[:4]}-{code.lower()[4:]}/redemptions"
    await client.post(path, json=TILL)

    words = {"nb": "allerede", "sv": "redan", "da": "allerede", "fi": "käytetty", "en": "already"}
    said = {
        language: (await client.post(path, json={"place": "Oslo", "language": language})).json()[
            "detail"
        ]
        for language in words
    }

    at = rig.clock.now().astimezone(ZoneInfo("Europe/Oslo"))
    for language, word in words.items():
        assert word in said[language]
        assert f"{at:%Y-%m-%d %H:%M}" in said[language]
        assert TILL["place"] in said[language]


async def test_expired_early_withdrawn_unknown_and_misread_are_told_apart(shop):
    rig, client, series, (code, *_) = shop
    now = rig.clock.now()
    limits = [
        {"valid_until": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"},
        {"valid_from": f"{now + timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}"},
    ]
    others = []
    for limit in limits:
        one = (await client.post("/v1/coupon-series", json={**SPRING, **limit, "codes": 1})).json()
        listed = await client.get(f"/v1/coupon-series/{one['id']}/codes")
        others.append(listed.json()["items"][0]["code"])
    await client.post(f"/v1/coupon-series/{series['id']}/close")
    rig.clock.advance(timedelta(hours=1))  # the first moment at which it is good no more
    swapped = code[:-1] + next(one for one in "0123" if one != check_character(code[:-1]))

    asked = [*others, code, draw_code(), swapped]
    async with rig.client() as later:
        answers = [await later.post(f"/v1/coupons/{one}/redemptions", json=TILL) for one in asked]
        drawn = await later.post(f"/v1/coupon-series/{series['id']}/codes", json={"count": 1})
        expired = (await later.get(f"/v1/coupons/{others[0]}")).json()

    assert [
        (409, "coupon-expired"),
        (409, "coupon-early"),
        (409, "coupon-closed"),
        (404, "coupon-unknown"),
        (404, "coupon-unknown"),
    ] == [slug(one) for one in answers]
    assert "check character" in answers[-1].json()["detail"]
    assert expired["redeemed_at"] is None
    assert (409, "coupon-series-closed") == slug(drawn)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": "percent"}, "value_pct"),
        ({"value_pct": 10}, "none of the other two"),
        ({"currency": None}, "currency"),
        ({"valid_until": "2020-01-01T00:00:00Z"}, "past"),
    ],
    ids=["no worth of its kind", "two worths", "no currency", "never good"],
)
async def test_a_series_that_makes_no_sense_is_refused_with_the_field(rig_for, change, word):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await client.post("/v1/coupon-series", json={**SPRING, **change})
    assert 422 == answer.status_code
    assert word in answer.text


async def test_a_person_has_one_coupon_of_a_series_and_its_code_can_be_read_from_the_picture(shop):
    _, client, series, _ = shop
    kari, per = (str(new_id()) for _ in range(2))
    path = f"/v1/coupon-series/{series['id']}/issues"
    body = {"person_ids": [kari, per], "reason": "bought for 10,000"}

    first, again = [(await client.post(path, json=body)).json() for _ in range(2)]
    drawn = await client.get(f"/v1/coupons/{first[0]['code']}/qr")

    assert first == again
    assert 2 == len({one["code"] for one in first})
    assert "image/svg+xml" == drawn.headers["content-type"]
    picture = zxingcpp.create_barcode(first[0]["code"], zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    assert drawn.text == picture.to_svg()


async def test_who_is_forgotten_leaves_a_coupon_that_names_nobody_and_is_still_used_up(shop):
    rig, client, series, _ = shop
    kari = new_id()
    path = f"/v1/coupon-series/{series['id']}/issues"
    body = {"person_ids": [str(kari)], "reason": "birthday of Kari"}
    ((given),) = (await client.post(path, json=body)).json()
    await client.post(f"/v1/coupons/{given['code']}/redemptions", json=TILL)
    request = ErasureRequest(erasure_id=new_id(), person_ids=(kari,), requested_at=rig.clock.now())

    await rig.publish(ErasureRequestedV1(items=(request,)))
    await rig.drain()

    known = (await client.get(f"/v1/coupons/{given['code']}")).json()
    assert (None, "", True) == (
        known["person_id"],
        known["reason"],
        known["redeemed_at"] is not None,
    )
    again = await client.post(f"/v1/coupons/{given['code']}/redemptions", json={"place": "Oslo"})
    assert (409, "coupon-redeemed") == slug(again)


async def test_a_till_may_redeem_and_nothing_else(shop):
    rig, _, series, (code, *_) = shop
    async with rig.client(scopes=("campaign:redeem",)) as till:
        looked = await till.get(f"/v1/coupons/{code}")
        drawn = await till.post(f"/v1/coupon-series/{series['id']}/codes", json={"count": 1})
        used = await till.post(f"/v1/coupons/{code}/redemptions", json=TILL)
        keyed = await till.post(
            f"/v1/coupons/{code}/redemptions", json=TILL, headers={"Idempotency-Key": "1-1001"}
        )
        wrong = await till.post(f"/v1/coupons/{code}/redemptions", json={"place": ""})
    assert (200, False, 422) == (keyed.status_code, keyed.json()["is_new"], wrong.status_code)
    assert used.json() | {"is_new": False} == keyed.json()
    async with rig.client(scopes=("campaign:read",)) as reader:
        assert 403 == (await reader.post(f"/v1/coupons/{code}/redemptions", json=TILL)).status_code
    assert [403, 403, 200] == [one.status_code for one in (looked, drawn, used)]
