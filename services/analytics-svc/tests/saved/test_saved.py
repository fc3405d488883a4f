"""Saved reports: made anew whenever they are read, and the same as the report that they are of."""

from datetime import timedelta

import pytest

from analytics_svc.company.queries import REPORTS
from analytics_svc.main import SPEC
from analytics_svc.saved.schemas import ReportName
from kantis_contracts.contacts import LeadReceived, LeadReceivedV1
from kantis_contracts.orders import OrderCard, OrderPlacedV1
from kantis_kit.ids import new_id

URL = "/v1/reports/saved"


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
    assert list(REPORTS) == [one.value for one in ReportName]


@pytest.mark.parametrize("report", [one.value for one in ReportName])
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
