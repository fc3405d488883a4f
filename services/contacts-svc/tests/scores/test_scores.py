"""How good what is known of people is, per person and per source."""

from datetime import UTC, datetime, timedelta

import pytest

from contacts_svc.main import SPEC
from contacts_svc.scores import usecases
from contacts_svc.scores.rules import Held, Known, score
from kantis_kit.ids import new_id
from kantis_kit.tx import write

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAIL = Held("email", "valid", "reachable", is_primary=True)
PHONE = Held("phone", "valid", "unknown", is_primary=True)
FULL = {
    "full_name": "Kari Nes",
    "preferred_name": "Kari",
    "email": "kari@example.com",
    "phone": "+47 412 34 567",
    "address": {"street": "Storgata 1", "postal_code": "0155", "city": "Oslo", "country": "NO"},
    "source": "fair",
}


def known(*identifiers, name="Kari", preferred_name="Kari", has_address=True, days=0):
    return Known(name, preferred_name, has_address, identifiers, NOW - timedelta(days=days))


@pytest.mark.parametrize(
    ("what", "parts", "findings"),
    [
        (known(MAIL, PHONE), (100, 100, 85, 100), ()),
        (
            known(MAIL, preferred_name=""),
            (60, 100, 100, 100),
            ("missing_preferred_name", "missing_phone"),
        ),
        (
            known(Held("email", "invalid", "undeliverable", is_primary=True), PHONE, days=400),
            (100, 50, 35, 50),
            ("invalid_email", "undeliverable_email", "no_sign_of_life_in_a_year"),
        ),
        (
            known(name="", preferred_name="", has_address=False, days=9_999),
            (0, 0, 0, 0),
            (
                "missing_name",
                "missing_preferred_name",
                "missing_email",
                "missing_phone",
                "missing_address",
                "no_sign_of_life_in_a_year",
            ),
        ),
    ],
)
def test_each_part_of_the_quality_is_told_with_what_would_mend_it(what, parts, findings):
    told = score(what, NOW)

    assert parts == (told.completeness, told.validity, told.reachability, told.freshness)
    assert findings == told.findings
    assert 0 <= told.score <= 100


async def test_a_contact_is_scored_as_it_is_now_and_a_sign_of_life_freshens_it(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = (await client.post("/v1/contacts", json=FULL)).json()["id"]
        new = (await client.get(f"/v1/quality/contacts/{kari}")).json()
    rig.clock.advance(timedelta(days=800))
    async with rig.client() as client:
        old = (await client.get(f"/v1/quality/contacts/{kari}")).json()
        call = {"items": [{"contact_id": kari, "kind": "call"}]}
        await client.post("/v1/interactions", json=call)
        called = (await client.get(f"/v1/quality/contacts/{kari}")).json()
        nobody = await client.get(f"/v1/quality/contacts/{new_id()}")

    assert (100, 100, 70, 100, []) == tuple(
        new[name] for name in ("completeness", "validity", "reachability", "freshness", "findings")
    )
    assert (25, ["no_sign_of_life_in_a_year"]) == (old["freshness"], old["findings"])
    assert (100, "fair") == (called["freshness"], called["source"])
    assert old["score"] < called["score"] == new["score"]
    assert 404 == nobody.status_code


async def test_sources_are_compared_and_the_erased_leave_the_report(rig_for):
    rig = await rig_for(SPEC)

    async def keep():
        async with write(rig.service.scope) as tx:
            await usecases.forget_erased(tx)
            return await usecases.keep_scores(tx)

    async with rig.client() as client:
        await client.post("/v1/contacts", json=FULL)
        bought = [
            (
                await client.post(
                    "/v1/contacts",
                    json={"full_name": f"P{n}", "email": f"p{n}@example.com", "source": "bought"},
                )
            ).json()["id"]
            for n in range(2)
        ]
        rounds = [await keep(), await keep()]
        sources = (await client.get("/v1/quality/sources")).json()
        await client.delete(f"/v1/contacts/{bought[0]}")
        rig.clock.advance(timedelta(minutes=1))
        await client.patch(
            f"/v1/contacts/{bought[1]}", json={"preferred_name": "P"}, headers={"If-Match": "*"}
        )
        rounds.append(await keep())
        later = (await client.get("/v1/quality/sources")).json()

    # The job may have scored some before the first round; the second finds nothing to do.
    assert [0, 1] == rounds[1:]
    assert [("bought", 2, 40), ("fair", 1, 100)] == [
        (one["source"], one["people"], one["completeness"]) for one in sources
    ]
    assert sources[0]["score"] < sources[1]["score"]
    assert {("bought", 1, 60), ("fair", 1, 100)} == {
        (one["source"], one["people"], one["completeness"]) for one in later
    }
