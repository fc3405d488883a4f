"""What is remembered of a person's campaigns: asked, seen, answered, bought, and why not."""

from datetime import timedelta

from campaign_svc.main import SPEC
from kantis_contracts.contacts import InsightCard, InsightChangedV1
from kantis_contracts.messaging import Engagement, LinkClickedV1, MessageOpenedV1
from kantis_kit.ids import new_id

STARTED = (
    "INSERT INTO campaign VALUES ($1, 'Vinter', $1, 'offers', 'email', NULL, 'NOK', NULL, 1, 'running', 1, now(), now())",
    "INSERT INTO cell VALUES ($1, $1, 'A', 'KEYA', 100, $1, NULL, 0)",
    "INSERT INTO preflight VALUES ($1, $1, 1, 'counting', NULL, '{}', now(), NULL)",
    "INSERT INTO launch (id, campaign_id, preflight_id, state, launched_at, launched_by) VALUES ($1, $1, $1, 'running', now(), 'test')",
)
PIECE = """
INSERT INTO piece (id, launch_id, campaign_id, cell_id, person_id, response_code, because, state, reason, released_at,
    settled_at, responded_at, ordered_at, paid_at)
VALUES ($1, $2, $2, $2, $3, $4, '[]', $5, $6, $7, $7, $8, $8, $8)
"""


async def test_of_each_person_it_is_known_how_far_a_campaign_came_and_why_no_further(rig_for):
    rig = await rig_for(SPEC)
    pool = await rig.service.database.pool()
    now = rig.clock.now()
    kari, ola, per, eva, siv = people = [new_id() for _ in range(5)]
    given = {
        kari: ("accepted", "", now), ola: ("accepted", "", None), per: ("suppressed", "no_permission", None),
        eva: ("left_out", "budget", None), siv: ("accepted", "", None),
    }  # fmt: skip
    campaign = new_id()
    for statement in STARTED:
        await pool.execute(statement, campaign)
    for number, one in enumerate(people):
        state, reason, bought = given[one]
        await pool.execute(
            PIECE, new_id(), campaign, one, f"{number:010d}", state, reason, now, bought
        )

    def engaged(person_id, verdict="human", after=0):
        return Engagement(
            engagement_id=new_id(), message_id=new_id(), campaign_id=campaign, person_id=person_id,
            verdict=verdict, seen_at=now + timedelta(hours=after),
        )  # fmt: skip

    await rig.publish(
        LinkClickedV1(items=(engaged(kari, after=2),)),
        MessageOpenedV1(items=(engaged(kari, after=1), engaged(ola), engaged(siv, "machine"))),
        copies=2,
    )
    await rig.drain()
    async with rig.client() as client:
        told = {}
        for one in people:
            answer = await client.get(f"/v1/campaign-memory/{one}")
            [told[one]] = answer.json()["items"]
        nobody = await client.get(f"/v1/campaign-memory/{new_id()}")

    assert [
        "has bought", "has looked at it and not answered", "was not reached: no_permission",
        "was not asked: budget", "was asked and has not been seen to look at it",
    ] == [told[one]["sentence"] for one in people]  # fmt: skip
    assert (now + timedelta(hours=1)).isoformat() == told[kari]["seen_at"].replace("Z", "+00:00")
    assert [True, True, False, False, True] == [told[one]["asked_at"] is not None for one in people]
    assert {"Vinter"} == {one["campaign_name"] for one in told.values()}
    assert [] == nobody.json()["items"]


async def test_what_somebody_says_against_it_stands_with_the_campaign_that_had_asked_last(rig_for):
    rig = await rig_for(SPEC)
    pool = await rig.service.database.pool()
    now, kari, first, second = rig.clock.now(), new_id(), new_id(), new_id()
    for number, (campaign, after) in enumerate(((first, 0), (second, 10))):
        for statement in STARTED:
            await pool.execute(statement.replace("KEYA", f"KEY{number}"), campaign)
        at = now + timedelta(days=after)
        await pool.execute(
            PIECE, new_id(), campaign, kari, f"{number:010d}", "accepted", "", at, None
        )

    def said(kind, term, *, day, insight_id=None, **more):
        return InsightCard(
            insight_id=insight_id or new_id(), person_id=kari, kind=kind, term=term,
            words={"nb": term.title()}, said_at=now + timedelta(days=day), **more,
        )  # fmt: skip

    regretted = said("objection", "colour", day=11)
    await rig.publish(
        InsightChangedV1(
            items=(said("no_buy_reason", "too_dear", day=3), said("need", "lamp", day=3))
        ),
        InsightChangedV1(items=(regretted.model_copy(update={"is_taken_back": True}),)),
        InsightChangedV1(items=(said("barrier", "no_room", day=12), regretted)),
        copies=2,
    )
    await rig.drain()
    async with rig.client() as client:
        items = (await client.get(f"/v1/campaign-memory/{kari}")).json()["items"]

    assert [[("no_buy_reason", "too_dear")], [("barrier", "no_room")]] == [
        [(why["kind"], why["term"]) for why in one["reasons"]] for one in items
    ]
    assert items[0]["sentence"].endswith(", and says: too_dear")
