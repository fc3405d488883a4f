"""What is in doubt is settled by the relay's log, or by a person: one by one, many at once, a whole launch."""

from datetime import timedelta

from kantis_kit.ids import new_id
from messaging_svc.dispatch.relaylog import Fate, RelayLog

LOG = """\
Nov 23 06:08:02 mx postfix/smtpd[70]: 4F1A2B3C4D: client=app[10.0.0.7]
Nov 23 06:08:02 mx postfix/cleanup[71]: 4F1A2B3C4D: message-id={0}
2026-11-23T06:08:02.113+01:00 mx postfix/qmgr[7]: 4F1A2B3C4D: from=<post@lys.example>, size=15512, nrcpt=1 (queue active)
Nov 23 06:08:03 mx postfix/smtp[72]: 4F1A2B3C4D: to=<a@kunde.example>, relay=mx.kunde.example[10.9.9.9]:25, delay=1.2, \
dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 77)
Nov 23 06:08:03 mx postfix/qmgr[7]: 4F1A2B3C4D: removed
Nov 23 06:08:04 mx postfix/cleanup[71]: 4F1A2B3C4D: message-id={1}
Nov 23 06:08:04 mx postfix/qmgr[7]: 4F1A2B3C4D: from=<post@lys.example>, size=15512, nrcpt=1 (queue active)
Nov 23 06:08:05 mx postfix-out/smtp[72]: 4F1A2B3C4D: to=<b@kunde.example>, relay=none, dsn=5.4.4, \
status=bounced (Host not found)
Nov 23 06:08:06 mx postfix/submission/cleanup[71]: 5zzzzzz0000: message-id={2}
Nov 23 06:08:06 mx postfix/submission/cleanup[71]: 5zzzzzz0000: milter-reject: END-OF-MESSAGE from app: 5.7.1 no
Nov 23 06:08:07 mx postfix/cleanup[71]: 6aaaaaa0000: message-id={3}
Nov 23 06:08:08 mx postfix/qmgr[7]: 6aaaaaa0000: from=<post@lys.example>, size=1, nrcpt=1 (queue active)
Nov 23 06:08:09 mx postfix/smtp[7]: 6aaaaaa0000: to=<c@d.example>, status=deferred (connect timed out)
Nov 23 06:08:09 mx postfix/cleanup[71]: 7bbbbbb0000: message-id={4}
Nov 23 06:08:10 mx kernel: something else
"""


async def _doubtful(open_house, open_hands, count):
    """Return a house with a launch of which so many messages were handed over and never answered."""
    house = await open_house(smtp_host="")
    await house.save_template()
    people = [house.person(n) for n in range(count)]
    await house.know(*people)
    launch = house.launch([one.person_id for one in people])
    await house.rig.publish(launch)
    await house.until("planned", count)
    async with open_hands(house, 1) as [(hand, mails)]:
        items = (await hand.claim(mails))[0]
        for item in items:
            assert await hand.hand_over(item)
        house.rig.clock.advance(timedelta(hours=1))
        await hand.recover()
    return house, launch, sorted(items, key=lambda item: item.id)


def test_the_log_of_a_relay_tells_what_became_of_each_mail():
    names = [f"<{number}@lys.example>" for number in range(5)]

    log = RelayLog().read(LOG.format(*names).replace("as 77", "as \x0077").splitlines())

    assert {
        names[0]: Fate(is_accepted=True, words="sent: 250 2.0.0 Ok: queued as 77"),
        names[1]: Fate(is_accepted=False, words="bounced: Host not found"),
        names[2]: Fate(is_accepted=False, words="milter-reject: END-OF-MESSAGE from app: 5.7.1 no"),
        names[3]: Fate(is_accepted=True, words="deferred: connect timed out"),
    } == log.fates


async def test_the_relays_log_settles_what_it_knows_and_only_a_whole_log_what_it_does_not(
    open_house, open_hands
):
    house, _, items = await _doubtful(open_house, open_hands, 6)
    log = LOG.format(*(item.rfc_message_id for item in items[:5]))
    text = {"Content-Type": "text/plain"}

    async with house.rig.client(scopes=["messaging:read", "messaging:write"]) as client:
        path = "/v1/messages/in-doubt/log"
        nonsense = await client.post(path, content="Nov 23 nothing", headers=text)
        told = (await client.post(path, content=log, headers=text)).json()
        again = (await client.post(path, content=log, headers=text)).json()
        whole = (
            await client.post(path, params={"is_complete": True}, content=log, headers=text)
        ).json()

    assert (422, "urn:kantis:problem:not-a-log") == (
        nonsense.status_code, nonsense.json()["type"],
    )  # fmt: skip
    assert {"lines": 15, "sent": 2, "failed": 2, "not_sent": 0, "left": 2} == told
    assert (0, 2) == (again["sent"], again["left"])
    assert (2, 0) == (whole["not_sent"], whole["left"])
    rows = {row["id"]: row for row in await house.rows()}
    assert ["accepted", "failed", "failed", "accepted", "planned", "planned"] == [
        rows[item.id]["state"] for item in items
    ]
    assert {"settled_by_log"} == {row["rule"] for row in rows.values()}
    # Whoever handed it over and comes back late changes nothing.
    assert all(rows[item.id]["fence"] > item.fence for item in items)


async def test_a_person_resolves_many_at_once_or_a_whole_launch(open_house, open_hands):
    house, launch, items = await _doubtful(open_house, open_hands, 5)
    ids = [str(item.id) for item in items]

    async with house.rig.client(scopes=["messaging:read", "messaging:write"]) as client:
        path, stranger = "/v1/messages/in-doubt/resolve", str(new_id())
        body = {"message_ids": [*ids[:2], stranger], "outcome": "failed", "reason": "asked them"}
        some = (await client.post(path, json=body)).json()
        of_launch = {"launch_id": str(launch.launch_id), "outcome": "sent", "reason": "the relay"}
        rest = (await client.post(path, json=of_launch)).json()
        nothing = await client.post(path, json=of_launch | {"launch_id": stranger})
        both = await client.post(path, json=of_launch | body)
        one = await client.post(
            f"/v1/messages/{ids[0]}/resolve", json={"outcome": "sent", "reason": "again"}
        )
        left = (await client.get("/v1/messages/in-doubt")).json()["items"]
        shown = (await client.get(f"/v1/launches/{launch.launch_id}")).json()

    assert {"resolved": 2, "not_in_doubt": [stranger]} == some
    assert {"resolved": 3, "not_in_doubt": []} == rest
    assert (404, 422, 409, []) == (nothing.status_code, both.status_code, one.status_code, left)
    assert ({"accepted": 3, "failed": 2}, True) == (
        {state: count for state, count in shown["states"].items() if count}, shown["is_finished"],
    )  # fmt: skip
    assert {"failed": {"resolved_by_hand": 2}, "accepted": {"resolved_by_hand": 3}} == shown[
        "rules"
    ]


async def test_the_recipients_of_a_launch_are_listed_by_state_and_add_up(open_house, open_hands):
    house, launch, items = await _doubtful(open_house, open_hands, 7)
    second = house.launch(
        [new_id() for _ in range(4)], launch_id=launch.launch_id, campaign_id=launch.campaign_id
    )
    await house.rig.publish(second, house.launch([new_id()]))
    await house.until("planned", 5)

    async def everyone(client, **params):
        seen, cursor = [], None
        while True:
            wanted = {"limit": 3, **params} | ({"cursor": cursor} if cursor else {})
            page = await client.get(f"/v1/launches/{launch.launch_id}/recipients", params=wanted)
            seen += page.json()["items"]
            cursor = page.json()["next_cursor"]
            if cursor is None:
                return seen

    async with house.rig.client(scopes=["messaging:read"]) as client:
        shown = (await client.get(f"/v1/launches/{launch.launch_id}")).json()
        all_of_them = await everyone(client)
        doubtful = await everyone(client, state="in_doubt")
        planned = await everyone(client, state="planned")
        unknown = await client.get(f"/v1/launches/{new_id()}/recipients")
        nowhere = await client.get(f"/v1/launches/{new_id()}")

    assert 11 == shown["recipients"] == sum(shown["states"].values()) == len(all_of_them)
    assert sorted(one["id"] for one in all_of_them) == [one["id"] for one in all_of_them]
    assert (7, 4, False) == (
        shown["states"]["in_doubt"], shown["states"]["planned"], shown["is_finished"],
    )  # fmt: skip
    assert {str(item.id) for item in items} == {one["id"] for one in doubtful}
    assert {"no_answer"} == {one["rule"] for one in doubtful}
    assert 4 == len([one for one in planned if one["due_at"]])
    assert (404, 404) == (unknown.status_code, nowhere.status_code)
