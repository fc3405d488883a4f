"""What somebody waits for passes a campaign; a launch begins with few; ends are told together with what they end."""

import asyncio

import pytest

from kantis_contracts.campaign import LaunchHold, LaunchPausedV1
from kantis_contracts.contacts import ConfirmationRequest, ConfirmationRequestedV1
from kantis_contracts.messaging import MessageSettledV1
from kantis_contracts.values import Language
from kantis_kit import failpoints
from kantis_kit.ids import new_id
from kantis_kit.testing.smtp import SmtpSink
from kantis_kit.testing.waiting import eventually
from messaging_svc.dispatch.ledger import Outcome
from messaging_svc.dispatch.mailing import Mailing
from messaging_svc.dispatch.sender import Waiting

FEW = {"sender_concurrency": 1, "sender_batch": 8}
"""A sender that is full with little: one mail on the wire, few claimed behind it."""


class HeldSink(SmtpSink):
    """A mail server that answers to no message before the gate is opened."""

    def __init__(self):
        super().__init__()
        self.gate = asyncio.Event()
        self.came = []

    async def record(self, records):
        self.came += [record["rcpt"] for record in records]
        await self.gate.wait()
        await super().record(records)


@pytest.fixture
async def sink():
    async with HeldSink() as server:
        yield server
        server.gate.set()


async def _campaign(house, count):
    await house.save_template()
    people = [house.person(n) for n in range(count)]
    await house.know(*people)
    await house.rig.publish(house.launch([one.person_id for one in people]))


def _confirmation(address):
    request = ConfirmationRequest(
        request_id=new_id(), person_id=new_id(), email=address, preferred_name="", language=Language.NB,
        form_key="hage", confirm_path="/p/confirm/abc",
    )  # fmt: skip
    return ConfirmationRequestedV1(items=(request,))


async def _full(house):
    """Wait until the sender has as much of the campaign as it takes, and the first mail is at the server."""

    async def is_full():
        claimed = await house.rows("claimed")
        return house.sink.came and len(claimed) >= FEW["sender_batch"] // 2 + 5

    await eventually(is_full, message="the campaign did not fill the sender")


async def test_what_somebody_waits_for_takes_the_next_place_beside_a_running_campaign(open_house):
    house = await open_house(**FEW)
    await _campaign(house, 40)
    await _full(house)

    await house.rig.publish(_confirmation("a@kunde.example"), _confirmation("b@kunde.example"))
    await eventually(lambda: _handed(house, 2), message="it waits behind the campaign")
    planned = len(await house.rows("planned"))
    house.sink.gate.set()
    await house.until("accepted", 42)

    order = [record["rcpt"] for record in house.sink.messages]
    # One mail is at the server, and the envelope of one more may have been sent ahead.
    assert {"a@kunde.example", "b@kunde.example"} <= set(order[:4])
    assert planned > 0, "the campaign was never too large for the sender"
    assert 42 == len(set(order)) == len(order)


async def _handed(house, count):
    rows = [row for row in await house.rows("handed_over") if not row["is_marketing"]]
    return len(rows) >= count


async def test_a_server_that_answers_nothing_is_handed_two_a_connection_and_no_more(open_house):
    house = await open_house(**FEW)
    await _campaign(house, 40)

    await _full(house)

    handed = await house.rows("handed_over")
    came = list(house.sink.came)
    house.sink.gate.set()
    assert [2, 1] == [len(handed), len(came)]


async def test_of_a_paused_launch_nothing_leaves_but_what_a_server_has_in_full(
    open_house, monkeypatch
):
    house = await open_house(**FEW)
    await house.save_template()
    people = [house.person(n) for n in range(6)]
    await house.know(*people)
    launch = house.launch([one.person_id for one in people])
    await house.rig.publish(launch)
    await eventually(lambda: house.sink.came, message="nothing came")
    await house.until("handed_over", 2)

    looked = asyncio.Event()
    take_back = Mailing.take_back

    def noted(desk, sources):
        take_back(desk, sources)
        looked.set()

    monkeypatch.setattr(Mailing, "take_back", noted)
    hold = LaunchHold(
        launch_id=launch.launch_id, campaign_id=launch.campaign_id, version=1, reason="a person",
        decided_at=house.rig.clock.now(),
    )  # fmt: skip
    await house.rig.publish(LaunchPausedV1(items=(hold,)))
    await eventually(looked.is_set, message="the sender does not look for launches that are held")
    house.sink.gate.set()
    await eventually(lambda: _waiting(house, 5), message="the one behind is not taken back")

    assert 1 == len(house.sink.came) == len(await house.rows("accepted"))


async def _waiting(house, count):
    return count == len([row for row in await house.rows() if row["rule"] == "waits_for_resume"])


async def test_what_was_claimed_leaves_with_advertising_behind_everything_else():
    waiting = Waiting()
    for name in ("offer 1", "notice 1", "offer 2", "notice 2"):
        waiting.put_nowait(_Claimed(name))
    first = [waiting.get_nowait().name for _ in range(1)]
    waiting.put_nowait(_Claimed("notice 3"))
    waiting.put_nowait(None)

    rest = [waiting.get_nowait() for _ in range(waiting.qsize())]

    assert ["notice 1"] == first
    assert ["notice 2", "notice 3", "offer 1", "offer 2"] == [one.name for one in rest if one]
    assert rest[-1] is None


class _Claimed:
    def __init__(self, name):
        self.name, self.is_marketing = name, name.startswith("offer")


@pytest.mark.parametrize(
    ("batch", "claims", "claimed"), [(300, 1, 64), (300, 2, 64 + 256), (100, 3, 64 + 100 + 100)]
)
async def test_a_launch_begins_with_few_claims_and_each_is_four_times_the_last_up_to_a_batch(
    open_house, batch, claims, claimed
):
    failpoints.arm("dispatch.after_claim", "hang", nth=claims)
    house = await open_house(sender_batch=batch)
    house.sink.gate.set()

    await _campaign(house, 330)

    async def taken():
        return len([row for row in await house.rows() if row["state"] != "planned"])

    async def came():
        return claimed <= await taken()

    await eventually(came, message="the claim did not come")
    assert claimed == await taken()


async def _outcomes(house, hand, mails, count):
    people = [house.person(n) for n in range(count)]
    await house.know(*people)
    launch = house.launch([one.person_id for one in people])
    await house.rig.publish(launch)
    await house.until("planned", count)
    items = []
    while (claim := await hand.claim(mails))[1]:
        items += claim[0]
    assert count == len(items) == len(await hand.hand_over_all(items))
    hand.ends.clear()
    for item in items:
        hand.record(Outcome(item.id, item.fence, "accepted"))
    await hand.settled()
    return launch


async def test_many_ends_are_told_with_the_commit_that_records_them(open_house, open_hands):
    house = await open_house(smtp_host="")
    await house.save_template()

    async with open_hands(house, 1) as [(hand, mails)]:
        launch = await _outcomes(house, hand, mails, 40)
        told = {row["is_announced"] for row in await house.rows("accepted")}
        left = await hand.announce()
        await house.rig.drain()

    assert ({True}, 0) == (told, left)
    items = [*house.rig.items(MessageSettledV1)]
    assert {one.piece_id for one in launch.items} == {one.piece_id for one in items}
    assert 40 == len(items), "told twice, or not by all"
    assert not hand.ends.is_set()


async def test_few_ends_wait_to_be_told_with_others_and_are_told_once(open_house, open_hands):
    house = await open_house(smtp_host="")
    await house.save_template()

    async with open_hands(house, 1) as [(hand, mails)]:
        await _outcomes(house, hand, mails, 5)
        told = {row["is_announced"] for row in await house.rows("accepted")}
        assert hand.ends.is_set(), "nobody would tell of them"
        counts = [await hand.announce(), await hand.announce()]
        await house.rig.drain()

    assert ({False}, [5, 0]) == (told, counts)
    assert 5 == len([*house.rig.items(MessageSettledV1)])
