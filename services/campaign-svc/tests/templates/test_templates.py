"""What is told without permission is not written with a template that sells."""

import pytest

from campaign_svc.main import SPEC
from kantis_contracts.messaging import TemplateCard, TemplateChangedV1
from kantis_contracts.values import MessageClass
from kantis_kit.ids import new_id

TEMPLATE = new_id()
SAY = {
    "kind": "message", "ways": [{"channel": "email", "template_id": str(TEMPLATE)}],
    "message_class": "service", "class_reason": "The lamp may catch fire",
}  # fmt: skip
RULE = {
    "name": "Recall",
    "on": {"type": "segment", "condition": {"op": "country", "is_in": ["NO"]}},
    "action": SAY,
}
GRAPH = {
    "trigger": {"on": "hand"}, "start": "tell",
    "steps": {"tell": {"kind": "message", "say": SAY, "next": "over"}, "over": {"kind": "end"}},
}  # fmt: skip


@pytest.fixture
async def rig(rig_for):
    return await rig_for(SPEC)


async def told(rig, *notes):
    for revision, message_class in notes:
        card = TemplateCard(
            template_id=TEMPLATE, revision=revision, name="Recall", number=revision,
            message_class=message_class,
        )  # fmt: skip
        await rig.publish(TemplateChangedV1(items=(card,)), copies=2)
        await rig.drain()


async def test_a_rule_with_a_template_that_sells_is_refused_until_a_version_of_its_class_stands(
    rig,
):
    await told(rig, (1, MessageClass.MARKETING))
    async with rig.client() as client:
        refused = await client.post("/v1/rules", json=RULE)
        await told(rig, (2, MessageClass.SERVICE), (1, MessageClass.MARKETING))
        made = await client.post("/v1/rules", json=RULE)

    assert 409 == refused.status_code
    assert refused.json()["type"].endswith("template-sells")
    assert "Recall (version 1, marketing)" in refused.json()["detail"]
    assert "message_class service" in refused.json()["detail"]
    assert [str(TEMPLATE)] == refused.json()["templates"]
    assert 201 == made.status_code


async def test_a_programme_that_tells_with_it_cannot_be_published(rig):
    await told(rig, (1, MessageClass.NEWSLETTER))
    async with rig.client() as client:
        made = (await client.post("/v1/programmes", json={"name": "P", "graph": GRAPH})).json()
        refused = await client.post(f"/v1/programmes/{made['id']}/publish")

    assert 409 == refused.status_code
    assert refused.json()["type"].endswith("template-sells")
