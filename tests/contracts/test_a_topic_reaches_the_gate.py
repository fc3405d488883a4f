"""A campaign about a topic, to a list: who says no to either after the audience was frozen is not written to."""

import pytest

from campaign_svc.main import SPEC as CAMPAIGN
from kantis_contracts.contacts import (
    AudienceFrozenV1,
    AudienceMember,
    ChannelReach,
    PermissionChangedV1,
    PermissionEntry,
    PersonCard,
    PersonChangedV1,
    PreferenceCard,
    PreferenceChangedV1,
    ReachCountedV1,
    SuppressionChangedV1,
    SuppressionEntry,
)
from kantis_contracts.values import Channel, Language, Purpose
from kantis_kit.ids import new_id
from kantis_kit.testing.smtp import SmtpSink
from kantis_kit.testing.waiting import eventually
from messaging_svc.main import SPEC as MESSAGING

SEGMENT, LIST = new_id(), new_id()
NAMES = ("kari", "ola", "per")
TEXTS = {"nb": {"subject": "Hage", "html": "<html><body><p>Hei</p></body></html>"}}


@pytest.fixture
async def sink():
    async with SmtpSink() as server:
        yield server


def members_who_said_yes(at):
    """Return three people, one of whom refuses gardens and one of whom is suppressed for the list."""
    ids = {name: new_id() for name in NAMES}
    cards = tuple(
        PersonCard(
            person_id=ids[name], version=1, preferred_name=name, language=Language.NB,
            email=f"{name}@example.com",
        )
        for name in NAMES
    )  # fmt: skip
    yes = tuple(
        PermissionEntry(
            person_id=ids[name], channel=Channel.EMAIL, purpose=Purpose.OFFERS, state="granted",
            version=1, ledger_id=new_id(), occurred_at=at,
        )
        for name in NAMES
    )  # fmt: skip
    garden = PreferenceCard(
        person_id=ids["ola"], version=1, topics={"garden": False}, changed_at=at
    )
    listed = SuppressionEntry(
        suppression_id=new_id(), version=1, kind="email", address="per@example.com",
        scope="list", scope_id=str(LIST), changed_at=at,
    )  # fmt: skip
    told = (
        PersonChangedV1(items=cards),
        PermissionChangedV1(items=yes),
        PreferenceChangedV1(items=(garden,)),
        SuppressionChangedV1(items=(listed,)),
    )
    return ids, told


async def test_a_campaign_s_topic_and_list_stop_whom_they_concern_and_no_one_else(rig_for, sink):
    mail = {
        "smtp_host": "127.0.0.1", "smtp_port": sink.port, "company": "Lys AS", "mail_from": "Lys <post@lys.example>",
    }  # fmt: skip
    rig = await rig_for(CAMPAIGN, MESSAGING, settings={"messaging": mail})
    async with rig.client("campaign") as campaign, rig.client("messaging") as messaging:

        async def post(client, path, body):
            answer = await client.post(path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

        ids, told = members_who_said_yes(rig.clock.now())
        await rig.publish(*told)
        await rig.drain()
        template = await post(messaging, "/v1/templates", {"name": "Hage", "languages": TEXTS})

        async def rules_of(about):
            """Launch a campaign about something to all three; return the rule that decided for each."""
            plan = {"name": "Hage", "segment_id": str(SEGMENT), "currency": "NOK", **about}
            drafted = await post(campaign, "/v1/campaigns", plan)
            assert about == {key: drafted[key] for key in about}
            path = f"/v1/campaigns/{drafted['id']}"
            cell = {"name": "A", "share_pct": 100, "template_id": template["id"]}
            await post(campaign, f"{path}/cells", cell)
            preflight = await post(campaign, f"{path}/preflights", {})
            of_it = {"campaign_id": drafted["id"], "segment_id": SEGMENT}
            reach = (ChannelReach(channel=Channel.EMAIL, reachable=3),)
            await rig.publish(
                ReachCountedV1(preflight_id=preflight["id"], members=3, items=reach, **of_it)
            )
            await rig.drain()
            signed = {"sign_off": {"name": "Siv", "reason": "a test of ours"}}
            launch = await post(campaign, f"{path}/launch", signed)
            audience = tuple(AudienceMember(person_id=one) for one in ids.values())
            await rig.publish(
                AudienceFrozenV1(launch_id=launch["id"], total=3, items=audience, **of_it)
            )
            await rig.drain()

            async def ended():
                params = {"campaign_id": drafted["id"]}
                found = (await messaging.get("/v1/messages", params=params)).json()["items"]
                done = {one["person_id"]: one["rule"] for one in found if one["settled_at"]}
                return done if len(done) == len(NAMES) else None

            done = await eventually(ended, message="the messages did not end")
            return {name: done[str(ids[name])] for name in NAMES}

        concerned = await rules_of({"topic": "garden", "list_id": str(LIST)})
        others = await rules_of({"topic": "boats", "list_id": str(new_id())})

    assert {"kari": "allowed", "ola": "topic_refused", "per": "suppressed_list"} == concerned
    assert dict.fromkeys(NAMES, "allowed") == others
    assert 1 + 3 == len(sink.messages)
