"""Segments that branches have made are closed when no version needs them, and asked for anew when one does."""

from datetime import timedelta

from campaign_svc.programmes.schemas.conditions import Asked
from campaign_svc.programmes.usecases.asking import close_unused
from kantis_contracts.campaign import RuleChangedV1
from kantis_contracts.contacts import ConditionJudgedV1, ConditionVerdict
from kantis_kit.ids import new_id
from kantis_kit.tx import write

CONDITION = {"op": "country", "is_in": ["NO"]}
SEGMENT = Asked.model_validate({"op": "register", "condition": CONDITION}).segment_id


def graph(*, asks):
    when = {"op": "register", "condition": CONDITION} if asks else {"op": "heard", "event": "x"}
    return {
        "trigger": {"on": "hand"}, "start": "wait",
        "steps": {
            "wait": {"kind": "wait", "days": 2, "next": "which"},
            "which": {"kind": "branch", "cases": [{"when": when, "next": "end"}], "otherwise": "end"},
            "end": {"kind": "end"},
        },
    }  # fmt: skip


async def judge(programmes):
    [*_, card] = programmes.rig.items(RuleChangedV1)
    verdict = ConditionVerdict(
        rule_id=card.rule_id, version=card.version, segment_id=SEGMENT, is_accepted=True
    )
    await programmes.rig.publish(ConditionJudgedV1(items=(verdict,)))
    await programmes.rig.drain()
    await programmes.segment(SEGMENT, "entered", *[new_id() for _ in range(2)])
    await programmes.segment(SEGMENT, "built", None)


async def close(programmes):
    async with write(programmes.rig.service.scope) as tx:
        closed = await close_unused(tx)
    await programmes.rig.drain()
    return closed


async def test_a_condition_is_closed_when_its_last_version_is_empty_and_asked_for_again_when_needed(
    programmes,
):
    body = {"name": "Takk", "graph": graph(asks=True)}
    made = await programmes.call("POST", "/v1/programmes", 201, json=body)
    path = f"/v1/programmes/{made['id']}"
    await programmes.rig.drain()
    as_draft = await close(programmes)
    await judge(programmes)
    await programmes.call("POST", f"{path}/publish")
    live = await close(programmes)
    await programmes.begin(path, new_id())
    await programmes.change(path, graph(asks=False))
    in_flight = await close(programmes)
    await programmes.go_on(timedelta(days=2))
    empty, again = await close(programmes), await close(programmes)
    pool = await programmes.rig.service.database.pool()
    members = await pool.fetchval("SELECT count(*) FROM segment_member")
    await programmes.call("PUT", path, json=body, headers={"If-Match": "*"})
    await programmes.rig.drain()
    early = await programmes.call("POST", f"{path}/publish", 409)
    await judge(programmes)
    await programmes.call("POST", f"{path}/publish")

    assert (0, 0, 0, 1, 0) == (as_draft, live, in_flight, empty, again)
    assert 0 == members
    cards = programmes.rig.items(RuleChangedV1)
    assert [True, False, True] == [one.is_active for one in cards]
    assert sorted({one.version for one in cards}) == [one.version for one in cards]
    assert "looking at everybody" in early["detail"]
