"""Plans, pre-flights and test sends over the API."""

from datetime import timedelta
from uuid import UUID

from campaign_svc.main import SPEC
from kantis_contracts import campaign as said
from kantis_contracts.contacts import ChannelReach, ReachCountedV1
from kantis_contracts.messaging import TemplateCheck, TemplateCheckedV1
from kantis_contracts.orders import ProductCard, ProductChangedV1
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id

SEGMENT, LAMP = UUID(int=5), UUID(int=7)


def product(**changes):
    card = {
        "product_id": LAMP, "version": 1, "sku": "LAMP", "name": "Lampe", "price_minor": 19900,
        "currency": "NOK", "vat_pct": 25, "available": 100,
    }  # fmt: skip
    return ProductChangedV1(items=(ProductCard(**{**card, **changes}),))


async def draft(client, **changes):
    body = {"name": "Vår", "segment_id": str(SEGMENT), "currency": "NOK", **changes}
    answer = await client.post("/v1/campaigns", json=body)
    assert answer.status_code == 201, answer.text
    return f"/v1/campaigns/{answer.json()['id']}"


async def cell(client, path, share=100, **changes):
    body = {"name": "A", "share_pct": share, "template_id": str(UUID(int=1)), **changes}
    return await client.post(f"{path}/cells", json=body)


async def counted(rig, client, path, **changes):
    preflight = (await client.post(f"{path}/preflights")).json()
    await rig.drain()
    answer = {
        "preflight_id": preflight["id"], "campaign_id": preflight["campaign_id"], "segment_id": SEGMENT,
        "members": 100, "items": (
            ChannelReach(channel=Channel.EMAIL, reachable=90, excluded={"no_permission": 10}),
            ChannelReach(channel=Channel.SMS, reachable=3, excluded={"no_phone": 97}),
        ),
    }  # fmt: skip
    check = TemplateCheck(cell_id=new_id(), channel=Channel.EMAIL, template_id=new_id())
    of_it = {"preflight_id": answer["preflight_id"], "campaign_id": answer["campaign_id"]}
    await rig.publish(
        ReachCountedV1(**{**answer, **changes}), TemplateCheckedV1(items=(check,), **of_it)
    )
    await rig.drain()
    return (await client.get(f"{path}/preflights/{preflight['id']}")).json()


async def test_a_draft_is_changed_only_by_who_has_read_it_as_it_is(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await draft(client)
        read = await client.get(path)
        tag = {"If-Match": read.headers["etag"]}

        changed = await client.patch(path, json={"name": "Høst"}, headers=tag)
        late = await client.patch(path, json={"name": "Vinter"}, headers=tag)
        unread = await client.patch(path, json={"name": "Vinter"})
        emptied = await client.patch(path, json={"name": None}, headers=changed.headers)

        assert [200, 412, 422, 422] == [a.status_code for a in (changed, late, unread, emptied)]
        assert "Høst" == (await client.get(path)).json()["name"]
        gone = await client.delete(path, headers={"If-Match": changed.headers["etag"]})
        assert [204, 404] == [gone.status_code, (await client.get(path)).status_code]


async def test_a_campaign_is_about_a_topic_and_a_list_when_it_says_so(rig_for):
    rig = await rig_for(SPEC)
    the_list = str(UUID(int=9))
    async with rig.client() as client:
        plain = await client.get(await draft(client))
        path = await draft(client, topic="garden", list_id=the_list)
        await counted(rig, client, path)
        tag = {"If-Match": (await client.get(path)).headers["etag"]}
        refused = await client.patch(path, json={"topic": "Gärten"}, headers=tag)
        freed = await client.patch(path, json={"topic": "", "list_id": None}, headers=tag)

    (asked,) = rig.published(said.PreflightRequestedV1)
    assert ("", None) == (plain.json()["topic"], plain.json()["list_id"])
    assert ("garden", the_list) == (asked.items[0].topic, str(asked.items[0].list_id))
    assert 422 == refused.status_code
    assert ("", None) == (freed.json()["topic"], freed.json()["list_id"])


async def test_an_offer_names_a_known_product_in_the_campaign_s_currency(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await draft(client)
        unknown = await client.post(f"{path}/offers", json={"product_id": str(LAMP)})
        await rig.publish(product(currency="SEK"))
        await rig.drain()
        foreign = await client.post(f"{path}/offers", json={"product_id": str(LAMP)})
        await rig.publish(product(version=2))
        await rig.drain()
        at_its_price = await client.post(f"{path}/offers", json={"product_id": str(LAMP)})
        at_ours = await client.post(
            f"{path}/offers", json={"product_id": str(LAMP), "price_minor": 9900, "name": "Lys"}
        )

    assert ["product-unknown", "currency-mismatch"] == [
        answer.json()["type"].rsplit(":", 1)[1] for answer in (unknown, foreign)
    ]
    assert (19900, False) == tuple(
        at_its_price.json()[name] for name in ("price_minor", "has_own_price")
    )
    assert (9900, "Lys") == tuple(at_ours.json()[name] for name in ("price_minor", "name"))


async def test_a_key_code_is_the_company_s_once_and_made_when_none_is_given(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path, other = await draft(client), await draft(client)
        given = await cell(client, path, 50, key_code="var-a")
        taken = await cell(client, other, 50, key_code="VAR-A")
        made = await cell(client, other, 50)

    assert "VAR-A" == given.json()["key_code"]
    assert (409, "urn:kantis:problem:key-code-taken") == (taken.status_code, taken.json()["type"])
    assert 4 == len(made.json()["key_code"])


async def test_shares_that_sum_to_110_percent_are_refused_with_the_sum(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await draft(client)
        await cell(client, path, 60, key_code="AA")
        await cell(client, path, 50, key_code="BB")

        answer = await client.post(f"{path}/launch")

    assert 422 == answer.status_code
    assert "AA 60 % + BB 50 % = 110 %" in answer.json()["detail"]


async def test_a_launch_needs_a_fresh_report_of_this_version_that_is_not_red(rig_for):
    rig = await rig_for(SPEC)

    async def refused(client, path):
        answer = await client.post(f"{path}/launch")
        return answer.status_code, answer.json()["type"].rsplit(":", 1)[1]

    async with rig.client() as client:
        path = await draft(client)
        await cell(client, path)
        none = await refused(client, path)
        red = await counted(rig, client, path, is_known=False)
        forbidden = await refused(client, path)
        await counted(rig, client, path)
        await cell(client, path, 1)
        tag = {"If-Match": (await client.get(path)).headers["etag"]}
        (extra,) = [c for c in (await client.get(path)).json()["cells"] if c["share_pct"] == 1]
        assert 204 == (await client.delete(f"{path}/cells/{extra['id']}")).status_code
        assert 412 == (await client.patch(path, json={}, headers=tag)).status_code
        changed = await refused(client, path)
        report = await counted(rig, client, path)
        rig.clock.advance(timedelta(hours=24, seconds=1))
    async with rig.client() as client:
        old = await refused(client, path)
        stale = (await client.get(f"{path}/preflights/{report['id']}")).json()

    assert "red" == red["verdict"]
    assert (409, "preflight-red") == forbidden
    assert [(409, "preflight-missing")] * 3 == [none, changed, old]
    assert (False, True) == (report["is_stale"], stale["is_stale"])
    assert [] == rig.items(said.AudienceRequestedV1)


async def test_a_yellow_report_asks_for_a_signature_and_keeps_it(rig_for):
    rig = await rig_for(SPEC)
    signature = {"name": "Kari", "reason": "Vi kjenner dem"}
    async with rig.client() as client:
        path = await draft(client)
        await cell(client, path)
        report = await counted(rig, client, path, likely_duplicates=40)
        unsigned = await client.post(f"{path}/launch", json={})
        signed = await client.post(f"{path}/launch", json={"sign_off": signature})
        again = await client.post(f"{path}/launch", json={"sign_off": signature})
        other = await client.post(f"{path}/launch", json={"sign_off": {**signature, "name": "Ola"}})
        edit = await client.post(
            f"{path}/cells",
            json={"name": "B", "share_pct": 1, "template_id": str(UUID(int=1))},
        )

    assert "yellow" == report["verdict"]
    assert {"no_permission": 10} == report["reach"][0]["excluded"]
    assert [409, 202, 200, 409, 409] == [
        a.status_code for a in (unsigned, signed, again, other, edit)
    ]
    assert "likely_duplicates" in {one["code"] for one in unsigned.json()["findings"]}
    assert signature == signed.json()["sign_off"]


async def test_a_launched_price_stays_when_the_product_s_changes(rig_for):
    rig = await rig_for(SPEC)
    await rig.publish(product())
    await rig.drain()
    async with rig.client() as client:
        path = await draft(client)
        await client.post(f"{path}/offers", json={"product_id": str(LAMP)})
        await cell(client, path)
        await counted(rig, client, path)
        assert 202 == (await client.post(f"{path}/launch")).status_code
        await rig.publish(product(version=2, price_minor=1))
        await rig.drain()
        (offer,) = (await client.get(path)).json()["offers"]

    assert 19900 == offer["price_minor"]
    assert [19900] == [event.offer.price_minor for event in rig.published(said.CampaignLaunchedV1)]


async def test_a_test_goes_to_our_own_address_with_the_cell_s_template(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await draft(client)
        nothing = await client.post(f"{path}/test-sends", json={"to_email": "kari@firma.no"})
        await cell(client, path)
        sent = await client.post(
            f"{path}/test-sends", json={"to_email": "kari@firma.no", "language": "nb"}
        )
        wrong = await client.post(f"{path}/test-sends", json={"to_email": "kari"})
        await rig.drain()

    assert [404, 202, 422] == [answer.status_code for answer in (nothing, sent, wrong)]
    (test,) = rig.items(said.TestRequestedV1)
    assert ("kari@firma.no", "nb", UUID(int=1)) == (test.to_email, test.language, test.template_id)


async def test_a_reader_may_not_plan_and_a_stranger_may_not_read(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client(scopes=["campaign:read"]) as reader, rig.anonymous() as stranger:
        planned = await reader.post("/v1/campaigns", json={})
        listed = await reader.get("/v1/campaigns")
        unknown = await stranger.get("/v1/campaigns")

    assert [403, 200, 401] == [answer.status_code for answer in (planned, listed, unknown)]


async def test_campaigns_are_paged_the_newest_first(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        made = [(await draft(client)).rsplit("/", 1)[1] for _ in range(3)]
        first = (await client.get("/v1/campaigns", params={"limit": 2})).json()
        second = (
            await client.get("/v1/campaigns", params={"limit": 2, "cursor": first["next_cursor"]})
        ).json()
        broken = await client.get("/v1/campaigns", params={"cursor": "WzFd"})

    seen = [one["id"] for one in first["items"] + second["items"]]
    assert list(reversed(made)) == seen
    assert 422 == broken.status_code
