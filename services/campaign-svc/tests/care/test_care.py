"""A segment stands against the goals of its care model, and claims nothing without a basis."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.contacts import SegmentChange, SegmentChangedV1, SegmentMove
from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_contracts.orders import OrderCard, OrderPaidV1
from kantis_kit.ids import new_id

GOALS = [
    {"kind": "retention", "target": 60, "days": 100},
    {"kind": "repeat_purchase", "target": 30, "days": 100},
    {"kind": "satisfaction", "target": 80, "days": 100},
    {"kind": "recommendation", "target": 50, "days": 100},
    {"kind": "referral", "target": 10, "days": 100},
]
WORDS = dict.fromkeys(("nb", "sv", "da", "fi", "en"), "?")
STARTED = (
    "INSERT INTO campaign VALUES ($1, 'Winter', $1, 'offers', 'email', NULL, 'NOK', NULL, 1, 'running', 1, now(), now())",
    "INSERT INTO cell VALUES ($1, $1, 'A', 'KEYA', 100, $1, NULL, 0)",
    "INSERT INTO preflight VALUES ($1, $1, 1, 'counting', NULL, '{}', now(), NULL)",
    "INSERT INTO launch (id, campaign_id, preflight_id, state, launched_at, launched_by) VALUES ($1, $1, $1, 'running', now(), 'test')",
)
PIECE = """
INSERT INTO piece (id, launch_id, campaign_id, cell_id, person_id, response_code, because, channel, state, released_at)
VALUES ($1, $2, $2, $2, $3, $4, '[]', $5, 'released', $6)
"""
STEP = """
INSERT INTO step (id, asker_kind, asker_id, asker_name, asker_version, step, person_id, kind, action, because, facts,
    channel, missed, state, reason, at, settled_at, settled_by)
VALUES ($1, 'rule', $1, 'R', 1, '', $2, $3, '{}', '[]', '{}', $4, '{}', $5, '', $6, $7, '')
"""


@pytest.fixture
async def care(rig_for):
    """Return a rig with a segment that is cared for, four people in it, and how to call and tell."""
    rig = await rig_for(SPEC)
    segment_id = new_id()

    async def call(method, path="", **more):
        async with rig.client() as client:
            return await client.request(method, f"/v1/care{path}", **more)

    async def tells(*events):
        await rig.publish(*events)
        await rig.drain()

    async def moves(change, *people, revision, segment=None):
        items = tuple(
            SegmentMove(person_id=one, change=change, at=rig.clock.now()) for one in people
        )
        event = SegmentChangedV1(
            segment_id=segment or segment_id, version=1, revision=revision, members=4, items=items
        )
        await tells(event)

    async def pays(*people):
        cards = tuple(
            OrderCard(
                order_id=new_id(), version=1, number="1", person_id=one, total_minor=100, currency="NOK",
                changed_at=rig.clock.now(),
            )
            for one in people
        )  # fmt: skip
        await tells(OrderPaidV1(items=cards))

    body = {
        "segment_id": str(segment_id), "name": "New", "goals": GOALS, "most_per_month": 1,
        "channel_mix": {"email": 50, "letter": 50},
        "cadence": [{"what": "welcome", "after_days": 0, "channel": "email"}],
    }  # fmt: skip
    made = await call("POST", json=body)
    assert 201 == made.status_code, made.text
    people = [new_id() for _ in range(4)]
    await moves(SegmentChange.ENTERED, *people, revision=5)
    path = f"/{made.json()['id']}"

    async def state():
        return (await call("GET", f"{path}/state")).json()

    return SimpleNamespace(
        rig=rig, call=call, moves=moves, pays=pays, state=state, tells=tells, body=body, path=path,
        people=people, segment_id=segment_id,
    )  # fmt: skip


async def test_without_a_basis_nothing_is_claimed(care):
    state = await care.state()
    assert 4 == state["people"]
    told = {one["kind"]: (one["value"], one["is_met"], one["basis"]) for one in state["goals"]}
    assert (0.0, False, 4) == told.pop("referral")
    assert {(None, None, 0)} == set(told.values())


async def test_who_stayed_and_who_bought_again_are_counted_of_those_who_could(care):
    kari, per, ola, new = care.people
    stranger = new_id()
    await care.pays(kari, per, ola, stranger)
    care.rig.clock.advance(timedelta(days=101))
    await care.pays(kari, kari, per, new, stranger)

    goals = {one["kind"]: one for one in (await care.state())["goals"]}

    stayed = goals["retention"]
    assert (66.7, 3, True, -6.7) == tuple(stayed[n] for n in ("value", "basis", "is_met", "gap"))
    again = goals["repeat_purchase"]
    assert (33.3, 3, True) == tuple(again[n] for n in ("value", "basis", "is_met"))


async def test_marks_and_referrals_of_its_people_and_no_others_count(care):
    questions = [{"key": kind, "kind": kind, "words": WORDS} for kind in ("nps", "csat")]
    survey = {"name": "After", "titles": WORDS, "questions": questions}
    async with care.rig.client() as client:
        path = f"/v1/surveys/{(await client.post('/v1/surveys', json=survey)).json()['id']}/answers"
        marks = zip(
            (*care.people, new_id()),
            ("10", "9", "7", "2", "0"),
            ("5", "4", "3", "5", "1"),
            strict=True,
        )
        for person_id, nps, csat in marks:
            answers = {"nps": nps, "csat": csat}
            await client.post(path, json={"person_id": str(person_id), "answers": answers})
        rules = {"landing_url": "https://www.example.com"}
        await client.put("/v1/referrers/rules", json=rules)
        for referrer in (care.people[0], new_id()):
            friend = new_id()
            code = await client.post("/v1/referrers", json={"person_id": str(referrer)})
            path = f"/v1/referrers/{code.json()['code']}/referrals"
            await client.post(path, json={"person_id": str(friend)})
            await care.pays(friend)

    goals = {one["kind"]: one for one in (await care.state())["goals"]}

    assert (25.0, 4, False) == tuple(
        goals["recommendation"][n] for n in ("value", "basis", "is_met")
    )
    assert (75.0, 4, False) == tuple(goals["satisfaction"][n] for n in ("value", "basis", "is_met"))
    assert (25.0, 4, True) == tuple(goals["referral"][n] for n in ("value", "basis", "is_met"))


async def test_the_budget_of_contacts_and_the_mix_of_channels_are_held_against_what_was_sent(care):
    pool = await care.rig.service.database.pool()
    launches = [new_id() for _ in range(2)]
    for launch_id in launches:
        for statement in STARTED:
            await pool.execute(
                statement.replace("KEYA", f"K{launches.index(launch_id)}"), launch_id
            )
    kari, per, *_ = care.people
    now = care.rig.clock.now()
    for number, (launch_id, person_id, channel, at) in enumerate(
        [
            (launches[0], kari, "email", now),
            (launches[1], kari, "letter", now),
            (launches[0], per, "email", now),
            (launches[1], per, "email", now - timedelta(days=31)),
            (launches[0], new_id(), "sms", now),
        ]
    ):
        code = f"AAAAAAAA{number}2"
        await pool.execute(PIECE, new_id(), launch_id, person_id, code, channel, at)

    state = await care.state()

    assert {
        "most_per_month": 1,
        "pieces": 3,
        "per_person": 0.75,
        "people_over": 1,
        "people_full": 2,
    } == state["budget"]
    mix = {one["channel"]: (one["meant_pct"], one["actual_pct"]) for one in state["channels"]}
    assert {"email": (50, 66.7), "letter": (50, 33.3)} == mix


async def test_what_rules_programmes_and_the_club_say_counts_in_the_budget_too(care):
    pool = await care.rig.service.database.pool()
    kari, per, *_ = care.people
    now = care.rig.clock.now()
    for person_id, kind, channel, state, at in (
        (kari, "message", "sms", "accepted", now),
        (kari, "call_list", "phone", "requested", now),
        (per, "message", "sms", "suppressed", now),
        (per, "task", "", "done", now),
        (per, "message", "sms", "accepted", now - timedelta(days=31)),
        (new_id(), "message", "email", "accepted", now),
    ):
        settled = None if state == "requested" else at
        await pool.execute(STEP, new_id(), person_id, kind, channel, state, at, settled)

    state = await care.state()

    assert (2, 1, 1) == tuple(
        state["budget"][name] for name in ("pieces", "people_over", "people_full")
    )
    mix = {one["channel"]: one["actual_pct"] for one in state["channels"] if one["pieces"]}
    assert {"sms": 50, "phone": 50} == mix


async def test_of_two_news_of_a_person_the_higher_revision_holds_and_other_segments_are_not_kept(
    care,
):
    kari, per, *_ = care.people
    await care.moves(SegmentChange.LEFT, kari, per, revision=9)
    await care.moves(SegmentChange.ENTERED, kari, revision=7)  # late
    await care.moves(SegmentChange.ENTERED, per, revision=10)
    await care.moves(SegmentChange.ENTERED, new_id(), revision=1, segment=new_id())
    assert 3 == (await care.state())["people"]
    pool = await care.rig.service.database.pool()
    assert 4 == await pool.fetchval("SELECT count(*) FROM care_member")


async def test_a_segment_is_cared_for_in_one_way_and_changes_are_of_what_was_read(care):
    twice = await care.call("POST", json=care.body)
    changed = {**care.body, "most_per_month": 2}
    blind = await care.call("PUT", care.path, json=changed, headers={"If-Match": '"9"'})
    put = await care.call("PUT", care.path, json=changed, headers={"If-Match": '"1"'})
    other = {**changed, "segment_id": str(new_id())}
    moved = await care.call("PUT", care.path, json=other, headers={"If-Match": '"2"'})
    listed = (await care.call("GET")).json()["items"]
    gone = await care.call("DELETE", care.path)
    after = await care.call("GET", care.path)
    assert [409, 412, 200, 409, 204, 404] == [
        one.status_code for one in (twice, blind, put, moved, gone, after)
    ]
    assert [(2, 2)] == [(one["version"], one["most_per_month"]) for one in listed]


async def test_of_two_who_change_what_both_have_read_one_is_told_so(care):
    bodies = [{**care.body, "most_per_month": most} for most in range(1, 6)]
    read = {"If-Match": '"1"'}
    answers = await asyncio.gather(
        *(care.call("PUT", care.path, json=body, headers=read) for body in bodies)
    )

    assert [200, 412, 412, 412, 412] == sorted(one.status_code for one in answers)
    (won,) = [one.json() for one in answers if one.is_success]
    assert won == (await care.call("GET", care.path)).json()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"channel_mix": {"email": 60, "sms": 50}}, "110 %, not 100 %"),
        ({"goals": [GOALS[0], GOALS[0]]}, "two are of the same kind"),
        ({"goals": []}, "goals"),
    ],
    ids=["mix", "goal twice", "no goal"],
)
async def test_a_model_that_makes_no_sense_is_refused(rig_for, change, said):
    rig = await rig_for(SPEC, start=False)
    body = {
        "segment_id": str(new_id()),
        "name": "New",
        "goals": GOALS,
        "most_per_month": 1,
        **change,
    }
    async with rig.client() as client:
        answer = await client.post("/v1/care", json=body)
    assert 422 == answer.status_code
    assert said in answer.text


async def test_who_is_forgotten_is_in_no_segment_and_has_paid_nothing(care):
    await care.pays(*care.people)
    request = ErasureRequest(
        erasure_id=new_id(), person_ids=tuple(care.people), requested_at=care.rig.clock.now()
    )
    await care.tells(ErasureRequestedV1(items=(request,)))
    assert 0 == (await care.state())["people"]
    pool = await care.rig.service.database.pool()
    assert 0 == await pool.fetchval("SELECT count(*) FROM paid_order")
