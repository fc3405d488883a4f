"""One campaign, each person in the channel of choice; the valuable first, in waves, and nobody forgotten."""

from uuid import UUID

import pytest

from campaign_svc.main import SPEC
from kantis_contracts import campaign as said
from kantis_contracts.contacts import (
    AudienceFrozenV1,
    AudienceMember,
    ChannelReach,
    ReachCountedV1,
    Route,
    RouteGroup,
)
from kantis_contracts.messaging import (
    MessageSettledV1,
    Settled,
    SettledState,
    TemplateCheck,
    TemplateCheckedV1,
    TemplateFinding,
)
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id

SEGMENT = UUID(int=5)
MAIL, PAPER = str(UUID(int=11)), str(UUID(int=12))
ROUTES = [
    {"channel": "email", "template_id": MAIL, "cost_per_piece_minor": 10},
    {"channel": "letter", "template_id": PAPER, "cost_per_piece_minor": 1500},
]
LIKES_PAPER, NO_MAIL, NEITHER, LOYAL = range(4)
WAYS = (
    Route(reached=("email", "letter"), wished=("letter",), worth=60),
    Route(reached=("letter",), missed={"email": "no_consent"}, worth=10),
    Route(missed={"email": "refused", "letter": "no_address"}, worth=64),
    Route(reached=("email", "letter"), worth=65),
)


async def drafted(client, **changes):
    body = {"name": "Vår", "segment_id": str(SEGMENT), "currency": "NOK", **changes}
    campaign = (await client.post("/v1/campaigns", json=body)).json()
    path = f"/v1/campaigns/{campaign['id']}"
    cell = {"name": "both", "share_pct": 100, "routes": ROUTES}
    made = await client.post(f"{path}/cells", json=cell)
    assert 201 == made.status_code, made.text
    return path


async def counted(rig, client, path, *, findings=(), **changes):
    preflight = (await client.post(f"{path}/preflights")).json()
    await rig.drain()
    of_it = {"preflight_id": preflight["id"], "campaign_id": preflight["campaign_id"]}
    answer = {
        "segment_id": SEGMENT, "members": 100,
        "groups": tuple(RouteGroup(route=WAYS[place], people=people) for place, people in
                        ((LIKES_PAPER, 20), (NO_MAIL, 30), (LOYAL, 40))),
        "items": (ChannelReach(channel="email", reachable=60, excluded={"no_consent": 40}),),
    }  # fmt: skip
    check = TemplateCheck(
        cell_id=new_id(), channel="email", template_id=MAIL, findings=tuple(findings)
    )
    await rig.publish(ReachCountedV1(**{**answer, **changes}, **of_it))
    await rig.drain()
    half = (await client.get(f"{path}/preflights/{preflight['id']}")).json()
    assert "counting" == half["state"], "the senders have not answered yet"
    await rig.publish(TemplateCheckedV1(items=(check,), **of_it))
    await rig.drain()
    return (await client.get(f"{path}/preflights/{preflight['id']}")).json()


SIGNED = {"sign_off": {"name": "Siv", "reason": "a test of ours"}}


async def launched(rig, client, path):
    await counted(rig, client, path)
    answer = await client.post(f"{path}/launch", json=SIGNED)
    assert answer.status_code == 202, answer.text
    await rig.drain()
    return answer.json()


async def frozen(rig, launch, people, *, total=None):
    await rig.publish(
        AudienceFrozenV1(
            launch_id=launch["id"],
            campaign_id=launch["campaign_id"],
            segment_id=SEGMENT,
            total=total or len(people),
            routes=WAYS,
            items=tuple(AudienceMember(person_id=one, route=way) for one, way in people.items()),
        )
    )
    await rig.drain()


def released(rig):
    return {
        item.person_id: (event.channel.value, str(event.template_id), event.cost_per_piece_minor)
        for event in rig.published(said.PieceReleasedV1)
        for item in event.items
    }


async def test_each_person_is_reached_by_the_channel_of_choice_and_it_is_told_why(rig_for):
    rig = await rig_for(SPEC)
    likes, no_mail, neither, loyal = [new_id() for _ in range(4)]
    async with rig.client() as client:
        path = await drafted(client)
        launch = await launched(rig, client, path)
        await frozen(
            rig, launch, {likes: LIKES_PAPER, no_mail: NO_MAIL, neither: NEITHER, loyal: LOYAL}
        )
        progress = (await client.get(f"{path}/progress")).json()
        whys = [(await client.get(f"{path}/why/{one}")).json() for one in (likes, no_mail, neither)]

    (asked,) = rig.items(said.AudienceRequestedV1)
    assert (Channel.EMAIL, Channel.LETTER) == asked.channels
    assert asked.without_debtors
    paper = ("letter", PAPER, 1500)
    assert {likes: paper, no_mail: paper, loyal: ("email", MAIL, 10)} == released(rig)
    assert [(True, {}), (False, {"email": "no_consent"})] == [
        (one["is_wished"], one["missed"]) for one in whys[:2]
    ]
    assert ("left_out", "no_channel", {"email": "refused", "letter": "no_address"}) == (
        whys[2]["state"], whys[2]["reason"], whys[2]["missed"],
    )  # fmt: skip
    assert {"no_channel": 1} == progress["left_out"]
    assert {"email": 1, "letter": 2} == progress["by_channel"]


async def test_a_short_budget_goes_to_the_most_valuable_however_the_parts_come(rig_for):
    rig = await rig_for(SPEC)
    loyal, other, likes = [[new_id() for _ in range(3)] for _ in range(3)]
    async with rig.client() as client:
        # Three mails and two letters: the third letter to who likes them, and all to the passive, are too much.
        path = await drafted(client, when_short="by_value", budget_minor=3_100)
        report = await counted(rig, client, path)
        launch = (await client.post(f"{path}/launch", json=SIGNED)).json()
        await rig.drain()
        parts = [dict.fromkeys(other, NO_MAIL), dict.fromkeys(likes, LIKES_PAPER)]
        for part in parts:
            await frozen(rig, launch, part, total=9)
        early = released(rig)
        await frozen(rig, launch, dict.fromkeys(loyal, LOYAL), total=9)
        await frozen(rig, launch, parts[0], total=9)
        progress = (await client.get(f"{path}/progress")).json()

    assert {} == early, "nobody gets what somebody more valuable may still need"
    assert set(loyal) <= released(rig).keys()
    assert 2 == len(released(rig).keys() & set(likes))
    assert {"budget": 4} == progress["left_out"]
    # 40 mails to the loyal cost 400; 2,700 are left for the letters, 1.8 of them.
    assert {"budget": 48} == report["left_out"]
    assert 3_100 == report["cost_minor"]


async def test_pieces_leave_in_waves_wait_while_paused_and_end_when_stopped(rig_for):
    rig = await rig_for(SPEC, settings={"campaign": {"wave_in_flight": 4}})
    people = {new_id(): LOYAL for _ in range(10)}
    async with rig.client() as client:
        path = await drafted(client)
        launch = await launched(rig, client, path)
        await frozen(rig, launch, people)
        first = len(released(rig))
        await client.post(f"{path}/pause", json={"reason": "a look at it"})
        await settle(rig, client, path, 3)
        paused = len(released(rig))
        await client.post(f"{path}/resume", json={"reason": "all is well"})
        await rig.drain()
        resumed = len(released(rig))
        await client.post(f"{path}/stop", json={"reason": "sold out"})
        await settle(rig, client, path, 4)
        progress = (await client.get(f"{path}/progress")).json()

    assert [4, 4, 7] == [first, paused, resumed]
    assert {"launch_stopped": 3} == progress["left_out"]
    assert "finished" == progress["state"]


async def settle(rig, client, path, number):
    query = {"state": "released", "limit": number}
    pieces = (await client.get(f"{path}/pieces", params=query)).json()["items"]
    await rig.publish(
        MessageSettledV1(
            items=tuple(
                Settled(
                    message_id=new_id(), piece_id=one["id"], campaign_id=one["campaign_id"],
                    channel=one["channel"], state=SettledState.ACCEPTED, settled_at=rig.clock.now(),
                )
                for one in pieces
            )
        )
    )  # fmt: skip
    await rig.drain()


@pytest.mark.parametrize(
    ("changes", "findings", "code", "field"),
    [
        (
            {},
            [TemplateFinding(code="field-always-empty", severity="warning", field="products", language="nb",
                             message="products is empty for everybody", mend="take it out")],
            "template_field_always_empty", "products",
        ),
        (
            {},
            [TemplateFinding(code="template-unknown", severity="error", message="There is none", mend="name one")],
            "template_template_unknown", "",
        ),
        ({"consents": 60, "without_text": 60}, [], "no_permission_texts", ""),
        ({"groups": (), "items": (ChannelReach(channel="email", reachable=0),)}, [], "empty_audience", ""),
    ],
)  # fmt: skip
async def test_what_makes_a_launch_impossible_is_red_and_names_what_to_mend(
    rig_for, changes, findings, code, field
):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await drafted(client)
        report = await counted(rig, client, path, findings=findings, **changes)
        refused = await client.post(f"{path}/launch", json=SIGNED)

    first = report["findings"][0]
    assert ("red", code, field) == (first["level"], first["code"], first["field"])
    assert (409, "preflight-red") == (
        refused.status_code,
        refused.json()["type"].rsplit(":", 1)[-1],
    )


async def test_cells_of_110_percent_a_channel_twice_and_no_words_are_refused(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await drafted(client)
        bad = {"name": "more", "share_pct": 10, "routes": [ROUTES[0], ROUTES[0]]}
        twice = await client.post(f"{path}/cells", json=bad)
        mute = await client.post(f"{path}/cells", json={"name": "mute", "share_pct": 10})
        await client.post(f"{path}/cells", json={**bad, "routes": ROUTES})
        report = await counted(rig, client, path)
        refused = await client.post(f"{path}/launch", json=SIGNED)

    assert [422, 422] == [twice.status_code, mute.status_code]
    assert "email stands twice" in twice.text
    assert "template_id" in mute.text
    assert ("red", "shares_not_100", 110) == tuple(
        report["findings"][0][name] for name in ("level", "code", "count")
    )
    assert (422, "shares-not-100") == (
        refused.status_code, refused.json()["type"].rsplit(":", 1)[-1],
    )  # fmt: skip


async def test_the_company_decides_what_needs_a_signature_and_what_a_second_person(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await drafted(client)
        tired = await counted(rig, client, path, tired=15)
        odd = await client.put("/v1/preflight-thresholds/tired", json={"yellow": 10, "red": 5})
        unknown = await client.put("/v1/preflight-thresholds/mood", json={"yellow": 10})
        set_ = await client.put("/v1/preflight-thresholds/tired", json={"yellow": 5, "red": 14})
        red = await counted(rig, client, path, tired=15)
        await client.delete("/v1/preflight-thresholds/tired")
        await client.put("/v1/preflight-thresholds/approval", json={"red": 50})
        large = await counted(rig, client, path)
        alone = await client.post(f"{path}/launch", json=SIGNED)
        mine = await client.post(f"{path}/approvals", json={"name": "Siv"})
        still = await client.post(f"{path}/launch", json=SIGNED)
    async with rig.client(caller="ola") as other:
        theirs = await other.post(f"{path}/approvals", json={"name": "Ola"})
    async with rig.client() as client:
        done = await client.post(f"{path}/launch", json=SIGNED)
        shown = (await client.get(f"{path}/approvals")).json()

    assert [422, 404, 200] == [one.status_code for one in (odd, unknown, set_)]
    assert ["green", "red"] == [
        next(one["level"] for one in report["findings"] if one["code"] == "tired")
        for report in (tired, red)
    ]
    assert (90, True) == (large["pieces"], large["needs_approval"])
    assert [409, 201, 409, 201, 202] == [
        one.status_code for one in (alone, mine, still, theirs, done)
    ]
    assert "approval-needed" == alone.json()["type"].rsplit(":", 1)[-1]
    assert ["Ola", "Siv"] == sorted(one["name"] for one in shown)


async def test_every_cell_is_shown_to_every_address_of_the_seed_list(rig_for):
    rig = await rig_for(SPEC)
    async with rig.client() as client:
        path = await drafted(client)
        empty = await client.post(f"{path}/seed-sends")
        for name in ("kari", "ola", "kari"):
            seed = {"email": f"{name}@example.com", "language": "nb"}
            added = await client.post("/v1/seeds", json=seed)
        sent = await client.post(f"{path}/seed-sends")
        await rig.drain()
        (kari, _) = (await client.get("/v1/seeds")).json()
        gone = await client.delete(f"/v1/seeds/{kari['id']}")

    assert [409, 409, 202, 204] == [one.status_code for one in (empty, added, sent, gone)]
    tests = rig.items(said.TestRequestedV1)
    assert {("kari@example.com", MAIL), ("ola@example.com", MAIL)} == {
        (one.to_email, str(one.template_id)) for one in tests
    }
