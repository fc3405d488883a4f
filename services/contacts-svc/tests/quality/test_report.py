"""The report on the data of a segment that a campaign asks for."""

from datetime import timedelta

from contacts_svc.main import SPEC
from contacts_svc.quality import finder
from contacts_svc.scores.usecases import keep_scores
from kantis_kit.ids import new_id
from kantis_kit.tx import write

NORWAY = {
    "country": "NO",
    "address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo"},
}
REGISTER = {
    "name": "Reservasjonsregisteret", "country": "NO", "channels": ["phone"], "matches": "phone",
    "interval_days": 31, "mapping": {"phone": "nummer"},
}  # fmt: skip


async def test_a_segment_is_told_apart_from_everybody_and_says_what_would_mend_it(rig_for):
    rig = await rig_for(SPEC, start=False)
    people = [
        {"full_name": "Kari Nes", "email": "kari@example.com", **NORWAY},
        {"full_name": "Kari Nes", "email": "kn@example.com", "preferred_name": "Kari", **NORWAY},
        {"full_name": "Ib Vik", "email": "ib@example.com", "country": "DK"},
    ]
    async with rig.client() as client:
        for body in people:
            assert 201 == (await client.post("/v1/contacts", json=body)).status_code
        segment = await client.post(
            "/v1/segments",
            json={"name": "NO", "condition": {"op": "country", "is_in": ["NO"]}},
        )
        assert 201 == segment.status_code, segment.text
        assert (await client.put("/v1/registers/no-phone", json=REGISTER)).status_code < 300
        params = {"segment_id": segment.json()["id"]}
        early = (await client.get("/v1/quality/report", params=params)).json()
        async with write(rig.service.scope, actor="test") as tx:
            await finder.take(tx)
        waiting = (await client.get("/v1/quality/report", params=params)).json()
        async with write(rig.service.scope, actor="test") as tx:
            await finder.compare(tx)
            await keep_scores(tx)
        wash = await client.post(
            "/v1/registers/no-phone/washes",
            params={"as_of": str(rig.clock.now().date())},
            content=b"nummer\r\n41234567\r\n",
            headers={"Content-Type": "text/csv"},
        )
        assert wash.status_code < 300, wash.text
        found = (await client.get("/v1/quality/report", params=params)).json()
        everybody = (await client.get("/v1/quality/report")).json()
        unknown = await client.get("/v1/quality/report", params={"segment_id": str(new_id())})
    rig.clock.advance(timedelta(days=40))
    async with rig.client() as client:
        late = (await client.get("/v1/quality/report")).json()

    assert (2, 0, None) == (early["people"], early["scored"], early["score"])
    assert (0, 2) == (early["not_yet_compared"], waiting["not_yet_compared"])
    assert {"preferred_name": 1, "email": 0, "phone": 2, "street": 0} == found["missing"]
    assert (2, 2) == (found["people"], found["scored"])
    assert (1, 2, 0) == (
        found["likely_duplicates"],
        found["people_with_duplicates"],
        found["not_yet_compared"],
    )
    assert (3, {"preferred_name": 2, "email": 0, "phone": 3, "street": 1}) == (
        everybody["people"],
        everybody["missing"],
    )
    assert found["score"] > everybody["score"] > 0
    assert [False, True, False] == [
        one["registers"][0]["is_recent"] for one in (early, found, late)
    ]
    assert 404 == unknown.status_code
