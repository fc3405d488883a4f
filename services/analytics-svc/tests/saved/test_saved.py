"""Saved reports: made anew whenever they are read, and the same as the report that they are of."""

from datetime import timedelta
from uuid import UUID

import pytest

from analytics_svc.company.queries import REPORTS
from analytics_svc.main import SPEC
from analytics_svc.saved.schemas import ABOUT, ReportName
from kantis_contracts.campaign import CampaignLaunchedV1, CellCard
from kantis_contracts.contacts import LeadReceived, LeadReceivedV1
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_contracts.values import Channel, Purpose
from kantis_kit.ids import new_id

URL = "/v1/reports/saved"
CAMPAIGN = UUID(int=1)


def launch(at):
    cell = CellCard(
        cell_id=UUID(int=2), key_code="K", name="=A", share_pct=100, template_id=UUID(int=4)
    )
    return CampaignLaunchedV1(
        campaign_id=CAMPAIGN, campaign_name="Vår", launch_id=UUID(int=3), purpose=Purpose.OFFERS,
        channel=Channel.EMAIL, currency="NOK", launched_at=at, items=(cell,),
    )  # fmt: skip


async def something_happens(rig):
    order = OrderCard(
        order_id=new_id(), version=1, number="1", person_id=new_id(), total_minor=500, currency="NOK",
        changed_at=rig.clock.now(),
    )  # fmt: skip
    lead = LeadReceived(lead_id=new_id(), person_id=new_id(), form_key="=signup")
    await rig.publish(OrderPlacedV1(items=(order,)))
    await rig.publish(LeadReceivedV1(items=(lead,)))
    await rig.drain()


def test_every_report_of_the_house_can_be_saved():
    assert list(REPORTS) == [one.value for one in ReportName if one not in ABOUT.values()]


@pytest.mark.parametrize("report", REPORTS)
async def test_a_saved_report_reads_as_the_report_itself_over_its_days(rig_for, report):
    rig = await rig_for(SPEC)
    await something_happens(rig)
    today = rig.clock.now().date()
    span = {"since": str(today - timedelta(days=29)), "until": str(today)}

    async with rig.client() as client:
        saved = (await client.post(URL, json={"name": "A", "report": report, "days": 30})).json()
        found = (await client.get(f"{URL}/{saved['id']}")).json()
        table = await client.get(f"{URL}/{saved['id']}.csv")
        itself = await client.get(f"/v1/reports/{report}", params=span)
        its_table = await client.get(f"/v1/reports/{report}.csv", params=span)

    assert span == {"since": found["since"], "until": found["until"]}
    assert itself.json()["items"] == found["items"]
    assert its_table.text == table.text
    assert "=signup" not in table.text.replace("'=signup", "")
    if report in ("cohorts", "repeat-purchases", "lead-months"):
        assert 1 == len(found["items"])


async def test_they_are_listed_and_gone_when_deleted(rig_for):
    rig = await rig_for(SPEC)

    async with rig.client() as client:
        made = [
            (await client.post(URL, json={"name": name, "report": "lists"})).json()
            for name in ("A", "B")
        ]
        first = (await client.get(URL, params={"limit": 1})).json()
        second = (await client.get(URL, params={"cursor": first["next_cursor"]})).json()
        gone = await client.delete(f"{URL}/{made[0]['id']}")
        after = [await client.get(f"{URL}/{made[0]['id']}{end}") for end in ("", ".csv")] + [
            await client.delete(f"{URL}/{made[0]['id']}")
        ]
        left = (await client.get(URL)).json()["items"]

    assert ([made[0]], [made[1]]) == (first["items"], second["items"])
    assert (204, [404] * 3) == (gone.status_code, [one.status_code for one in after])
    assert [made[1]] == left


WRONG = {
    "a report that there is not": ({"name": "A", "report": "secrets"}, 422, "report"),
    "no days": ({"name": "A", "report": "lists", "days": 0}, 422, "days"),
    "a century": ({"name": "A", "report": "lists", "days": 36_500}, 422, "days"),
    "no name": ({"name": "  ", "report": "lists"}, 422, "name"),
    "money where none is counted": (
        {"name": "A", "report": "lists", "currency": "NOK"}, 422, "cohorts and repeat-purchases",
    ),
    "a campaign's, of none": ({"name": "A", "report": "campaign"}, 422, "campaign_id: say which"),
    "a list's, of a campaign": (
        {"name": "A", "report": "lists", "campaign_id": str(CAMPAIGN)}, 422, "campaign_id: leave it out",
    ),
    "a campaign that there is not": (
        {"name": "A", "report": "campaign", "campaign_id": str(CAMPAIGN)}, 404, "GET /v1/reports/campaigns",
    ),
    "a customer that there is not": (
        {"name": "A", "report": "customer", "person_id": str(CAMPAIGN)}, 404, "GET /v1/contacts",
    ),
    "a funnel over years": (
        {"name": "A", "report": "funnel", "days": 367, "funnel": {"steps": [{"happening": "sent"}] * 2}}, 422, "366 at most",
    ),
    "a name that is taken": ({"name": "Taken", "report": "lists"}, 409, "delete that one first"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_what_cannot_be_saved_is_refused_with_the_way_out(rig_for, case):
    rig = await rig_for(SPEC)
    body, status, said = WRONG[case]

    async with rig.client() as client:
        await client.post(URL, json={"name": "Taken", "report": "lists"})
        answer = await client.post(URL, json=body)

    assert status == answer.status_code
    assert "application/problem+json" == answer.headers["content-type"]
    assert said in answer.text


async def test_what_is_of_one_campaign_customer_or_funnel_is_saved_as_well(rig_for):
    rig = await rig_for(SPEC)
    await something_happens(rig)
    (order,) = rig.items(OrderPlacedV1)
    today = rig.clock.now().date()
    await rig.publish(launch(rig.clock.now()))
    await rig.drain()
    funnel = {"steps": [{"happening": "ordered"}, {"happening": "paid"}]}
    span = {"since": str(today - timedelta(days=29)), "until": str(today)}
    wanted = {
        "campaign": {"campaign_id": str(CAMPAIGN)},
        "customer": {"person_id": str(order.person_id)},
        "funnel": {"funnel": funnel},
    }

    found, tables, itself = {}, {}, {}
    async with rig.client() as client:
        for report, about in wanted.items():
            body = {"name": report, "report": report, "days": 30, **about}
            saved = (await client.post(URL, json=body)).json()
            found[report] = (await client.get(f"{URL}/{saved['id']}")).json()
            tables[report] = (await client.get(f"{URL}/{saved['id']}.csv")).text
        cells = (await client.get(f"/v1/reports/campaigns/{CAMPAIGN}")).json()["cells"]
        for report, path in (
            ("campaign", f"campaigns/{CAMPAIGN}"),
            ("customer", f"customers/{order.person_id}"),
        ):
            itself[report] = (await client.get(f"/v1/reports/{path}.csv")).text
        counted = (await client.post("/v1/reports/funnels", json=funnel | span)).json()["items"]
        itself["funnel"] = (await client.post("/v1/reports/funnels.csv", json=funnel | span)).text

    assert itself == tables
    assert (cells, counted) == (found["campaign"]["items"], found["funnel"]["items"])
    assert [1, 0] == [one["people"] for one in counted]
    assert "ordered" in {one["measure"] for one in found["customer"]["items"]}
    assert (
        funnel["steps"][0]["happening"]
        == found["funnel"]["saved"]["funnel"]["steps"][0]["happening"]
    )


async def test_a_report_whose_campaign_is_gone_says_so(rig_for):
    rig = await rig_for(SPEC)
    await rig.publish(launch(rig.clock.now()))
    await rig.drain()
    steps = [{"happening": "sent", "campaign_id": str(CAMPAIGN)}, {"happening": "ordered"}]
    pool = await rig.service.database.pool()

    async with rig.client() as client:
        bodies = (
            {"report": "campaign", "campaign_id": str(CAMPAIGN)},
            {"report": "funnel", "funnel": {"steps": steps}},
        )
        saved = [
            (await client.post(URL, json=body | {"name": body["report"]})).json() for body in bodies
        ]
        await pool.execute("DELETE FROM campaign_card")
        answers = [
            await client.get(f"{URL}/{one['id']}{end}") for one in saved for end in ("", ".csv")
        ]

    assert [404] * 4 == [one.status_code for one in answers]
    assert all("is gone" in one.json()["detail"] for one in answers)


async def test_a_customers_report_is_forgotten_with_the_customer(rig_for):
    rig = await rig_for(SPEC)
    await something_happens(rig)
    (order,) = rig.items(OrderPlacedV1)
    body = {"name": "A", "report": "customer", "person_id": str(order.person_id)}
    request = ErasureRequest(
        erasure_id=new_id(), person_ids=(order.person_id,), requested_at=rig.clock.now()
    )

    async with rig.client() as client:
        await client.post(URL, json=body)
        await rig.publish(ErasureRequestedV1(items=(request,)))
        await rig.drain()
        left = (await client.get(URL)).json()["items"]

    assert [] == left
