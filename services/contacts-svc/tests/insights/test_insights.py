"""What was learned about people, in the company's own words, and the products that answer it."""

from datetime import timedelta
from uuid import UUID

import pytest

from contacts_svc.insights.model import InsightSource, Learned
from contacts_svc.insights.usecases import record_insights
from contacts_svc.main import SPEC
from contacts_svc.touched import Family
from kantis_contracts.orders import (
    OrderCard,
    OrderLineCard,
    OrderPlacedV1,
    ProductCard,
    ProductChangedV1,
)
from kantis_kit.ids import new_id
from kantis_kit.tx import write

WARM = {
    "key": "warm_feet",
    "kind": "need",
    "words": {
        "nb": "Varme føtter",
        "sv": "Varma fötter",
        "da": "Varme fødder",
        "fi": "Lämpimät jalat",
        "en": "Warm feet",
    },
}
PRICE = {**WARM, "key": "too_dear", "kind": "objection"}
DRY = {**WARM, "key": "dry_feet"}


async def make(client, name="kari"):
    body = {"full_name": name, "email": f"{name}@example.com"}
    answer = await client.post("/v1/contacts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def make_term(client, body=WARM):
    answer = await client.post("/v1/insights/terms", json=body)
    assert answer.status_code == 201, answer.text
    return answer


async def learn(client, contact_id, *items):
    return await client.post(f"/v1/contacts/{contact_id}/insights", json={"items": list(items)})


def said(term="warm_feet", **more):
    return {"term": term, "source": "call", **more}


def product(sku, **more):
    return ProductCard(
        product_id=new_id(),
        version=more.pop("version", 1),
        sku=sku,
        name=sku.title(),
        price_minor=19_900,
        currency="NOK",
        vat_pct=25,
        available=3,
        **more,
    )


async def test_the_company_edits_its_vocabulary_and_closes_terms_without_losing_what_was_said(
    rig_for,
):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = await make(client)
        made = await make_term(client)
        where, tag = made.headers["location"], made.headers["etag"]
        twice = await client.post("/v1/insights/terms", json=WARM)
        incomplete = await client.post(
            "/v1/insights/terms", json={**DRY, "words": {"nb": "Tørre føtter"}}
        )
        renamed = {**WARM["words"], "en": "Warm feet in winter"}
        blind = await client.put(where, json={"words": renamed})
        changed = await client.put(where, json={"words": renamed}, headers={"If-Match": tag})
        stale = await client.put(where, json={"words": renamed}, headers={"If-Match": tag})
        await learn(client, kari, said())
        closed = await client.delete(where)
        refused = await learn(client, kari, said())
        kept = (await client.get(f"/v1/contacts/{kari}/insights")).json()["items"]
        listed = (await client.get("/v1/insights/terms")).json()["items"]
        everything = await client.get("/v1/insights/terms", params={"with_closed": True})
        reopened = await client.put(where, json={"words": renamed}, headers={"If-Match": "*"})

    assert [409, 422, 422, 200, 412, 204] == [
        one.status_code for one in (twice, incomplete, blind, changed, stale, closed)
    ]
    assert "sv, da, fi, en" in incomplete.text
    assert (422, True) == (refused.status_code, "closed" in refused.json()["detail"])
    assert ["Warm feet in winter"] == [one["words"]["en"] for one in kept]
    assert [] == listed
    assert [True] == [one["is_closed"] for one in everything.json()["items"]]
    assert not reopened.json()["is_closed"]


async def test_what_was_learned_is_dated_with_its_source_and_found_by_its_term(rig_for):
    rig = await rig_for(SPEC)
    now, campaign = rig.clock.now(), str(new_id())

    async with rig.client(caller="anna") as client:
        kari, ola = await make(client), await make(client, "ola")
        await make_term(client)
        await make_term(client, PRICE)
        earlier = (now - timedelta(days=10)).isoformat()
        ends = (now + timedelta(days=5)).isoformat()
        answer = await learn(
            client,
            kari,
            said(said_at=earlier, strength=5, until=ends),
            said("too_dear", source="campaign", campaign_id=campaign, note="wants a discount"),
        )
        await learn(client, ola, said(strength=1))
        warm = (await client.get("/v1/insights", params={"term": "warm_feet"})).json()["items"]
        strong = await client.get("/v1/insights", params={"term": "warm_feet", "min_strength": 4})
        objections = await client.get("/v1/insights", params={"kind": "objection"})
        of_campaign = await client.get("/v1/insights", params={"campaign_id": campaign})
    rig.clock.advance(timedelta(days=6))
    async with rig.client() as client:
        later = (await client.get("/v1/insights", params={"term": "warm_feet"})).json()["items"]
        holding = await client.get(f"/v1/contacts/{kari}/insights", params={"holds_only": True})

    assert answer.status_code == 201, answer.text
    assert [("too_dear", "campaign", "anna"), ("warm_feet", "call", "anna")] == [
        (one["term"], one["source"], one["actor"]) for one in answer.json()["items"]
    ]
    assert [ola, kari] == [one["person_id"] for one in warm]
    assert [kari] == [one["person_id"] for one in strong.json()["items"]]
    assert ["wants a discount"] == [one["note"] for one in objections.json()["items"]]
    assert [kari] == [one["person_id"] for one in of_campaign.json()["items"]]
    assert [True, False] == [one["holds"] for one in later]
    assert ["too_dear"] == [one["term"] for one in holding.json()["items"]]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"term": "unheard_of"}, "no term unheard_of"),
        ({"said_at": "2999-01-01T00:00:00Z"}, "in the future"),
        ({"said_at": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "before what"),
        ({"note": "fnr 010190 12480"}, "fødselsnummer"),
        ({"strength": 6}, "strength"),
        ({"source": "gossip"}, "source"),
    ],
)
async def test_one_that_cannot_be_kept_refuses_all_and_names_its_place(rig_for, change, told):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        kari = await make(client)
        await make_term(client)
        answer = await learn(client, kari, said(), {**said(), **change})
        kept = (await client.get(f"/v1/contacts/{kari}/insights")).json()["items"]

    assert 422 == answer.status_code
    assert told in answer.text
    assert [] == kept


async def test_forms_and_surveys_enter_many_at_once_and_what_cannot_be_entered_is_left_out(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)
    now = rig.clock.now()
    async with rig.client() as client:
        kari = UUID(await make(client))
        await make_term(client)
        closed = await make_term(client, DRY)
        await client.delete(closed.headers["location"])
    one = Learned(kari, "warm_feet", InsightSource.SURVEY, now)
    others = [
        Learned(kari, "unheard_of", InsightSource.SURVEY, now),
        Learned(kari, "dry_feet", InsightSource.SURVEY, now),
        Learned(new_id(), "warm_feet", InsightSource.SURVEY, now),
        Learned(kari, "warm_feet", InsightSource.SURVEY, now + timedelta(days=1)),
    ]

    async with write(rig.service.scope) as tx:
        first = await record_insights(tx, [one, *others, one])
    async with write(rig.service.scope) as tx:
        again = await record_insights(tx, [one])

    pool = await rig.service.database.pool()
    touched = await pool.fetchval(
        "SELECT count(*) FROM touched_person WHERE families = $1", int(Family.INSIGHT)
    )
    assert (1, 0) == (first, again)
    assert 1 == touched


async def test_products_that_answer_a_persons_needs_are_told_the_best_first(rig_for):
    rig = await rig_for(SPEC)
    socks, boots, gone = product("SOCKS"), product("BOOTS"), product("GONE", is_active=False)
    newer = socks.model_copy(update={"version": 3, "name": "Wool socks"})
    await rig.publish(ProductChangedV1(items=(newer, boots)), ProductChangedV1(items=(gone,)))
    await rig.drain()
    await rig.publish(ProductChangedV1(items=(socks,)))
    await rig.drain()

    async with rig.client() as client:
        kari = await make(client)
        warm = (await make_term(client)).headers["location"]
        dry = (await make_term(client, DRY)).headers["location"]
        dear = (await make_term(client, PRICE)).headers["location"]
        chosen = [
            {"product_id": str(socks.product_id), "weight": 5},
            {"product_id": str(boots.product_id), "weight": 2},
            {"product_id": str(gone.product_id), "weight": 5},
        ]
        matched = await client.put(f"{warm}/products", json={"items": chosen})
        await client.put(f"{dry}/products", json={"items": chosen[1:2]})
        refused = [
            await client.put(f"{dear}/products", json={"items": chosen}),
            await client.put(f"{warm}/products", json={"items": [*chosen, chosen[0]]}),
            await client.put(f"{warm}/products", json={"items": [{"product_id": str(new_id())}]}),
        ]
        early = (rig.clock.now() - timedelta(days=3)).isoformat()
        await learn(
            client, kari, said(strength=5, said_at=early), said(strength=2), said("dry_feet")
        )
        order = OrderCard(
            order_id=new_id(),
            version=1,
            number="1",
            person_id=kari,
            total_minor=19_900,
            currency="NOK",
            lines=(
                OrderLineCard(
                    product_id=boots.product_id, sku="BOOTS", quantity=1, amount_minor=19_900
                ),
            ),
            changed_at=rig.clock.now(),
        )
        await rig.publish(OrderPlacedV1(items=(order,)))
        await rig.drain()
        matches = (await client.get(f"/v1/contacts/{kari}/matches")).json()

    assert matched.status_code == 200, matched.text
    assert ["GONE", "SOCKS", "BOOTS"] == [one["sku"] for one in matched.json()]
    assert [422, 422, 422] == [one.status_code for one in refused]
    # The strength said last counts: 2 × 5 for the socks, 2 × 2 + 3 × 2 for the boots; equals go by their number.
    assert [
        ("BOOTS", "Boots", ["dry_feet", "warm_feet"], 10, True),
        ("SOCKS", "Wool socks", ["warm_feet"], 10, False),
    ] == [
        (one["sku"], one["name"], one["needs"], one["score"], one["has_bought"]) for one in matches
    ]
