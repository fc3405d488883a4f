"""Mails that come back count against their launch, and it pauses itself: from the posted mail to the held message."""

import pytest

from kantis_contracts.messaging import SpikeNoticedV1
from kantis_kit.ids import new_id
from kantis_kit.testing.waiting import eventually

LIMIT = {"rate_pct": 10, "min_messages": 10, "window_minutes": 60}


@pytest.fixture
async def house(open_house):
    return await open_house(bounce_address="bounces@lys.example")


async def _launched(house, count, kind):
    """Send a launch to that many, with a limit of 10 %; return it, the paths back, and somebody who is still to come."""
    async with house.rig.client() as client:
        await client.put(f"/v1/sending-rules/spikes/{kind}", json=LIMIT)
    await house.save_template()
    people = [house.person(n) for n in range(count + 1)]
    await house.know(*people)
    *first, last = people
    launch = house.launch([one.person_id for one in first])
    await house.rig.publish(launch)
    await house.until_ended(count)
    await house.rig.drain()
    rest = launch.model_copy(
        update={"items": house.launch([last.person_id]).items, "cell_id": new_id()}
    )
    return launch, [record["from"] for record in house.sink.messages], rest


def _report(path, n, status):
    return (
        f"From: MAILER-DAEMON@mx.example\nTo: {path}\nSubject: Undelivered\nMessage-ID: <{n}@mx.example>\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
        f"Final-Recipient: rfc822; x@kunde.example\nAction: failed\nStatus: {status}\n\n--b--\n"
    )  # fmt: skip


def _complaint(path, n):
    return (
        f"From: feedback@isp.example\nTo: abuse@lys.example\nSubject: complaint\nMessage-ID: <{n}@isp>\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n"
        f"Original-Mail-From: <{path}>\n\n--b--\n"
    )


async def _post(house, *mails):
    async with house.rig.client() as client:
        for mail in mails:
            answer = await client.post(
                "/v1/bounces/raw", content=mail, headers={"content-type": "message/rfc822"}
            )
            assert answer.status_code == 200, answer.text
    await house.rig.drain()


@pytest.mark.parametrize(
    ("kind", "make"),
    [("bounce", lambda path, n: _report(path, n, "5.1.1")), ("complaint", _complaint)],
    ids=["bounce", "complaint"],
)
async def test_a_launch_whose_mails_come_back_pauses_itself(house, kind, make):
    launch, paths, rest = await _launched(house, 12, kind)

    await _post(house, make(paths[0], 0), make(paths[0], 1))
    assert [] == house.rig.items(SpikeNoticedV1), "one message of twelve counts once"
    await _post(house, make(paths[1], 2))
    (spike,) = house.rig.items(SpikeNoticedV1)
    await house.rig.publish(rest)

    async def held():
        return [row for row in await house.rows() if row["rule"] == "waits_for_resume"]

    await eventually(held, message="the rest of the launch was not held")
    assert (launch.launch_id, kind, 2, 12) == (
        spike.launch_id, spike.kind, spike.count, spike.of_messages,
    )  # fmt: skip
    assert 12 == len(house.sink.messages)


async def test_what_passes_and_who_is_away_pauses_nothing(house):
    _, paths, rest = await _launched(house, 12, "bounce")

    passing = [_report(path, n, "4.2.2") for n, path in enumerate(paths[:6])]
    absent = [
        f"From: x@kunde.example\nTo: {path}\nMessage-ID: <a{n}@k>\nSubject: Autosvar: ferie\n\nBorte\n"
        for n, path in enumerate(paths[6:])
    ]
    await _post(house, *passing, *absent)
    await house.rig.publish(rest)
    await house.until_ended(13)

    assert [] == house.rig.items(SpikeNoticedV1)
