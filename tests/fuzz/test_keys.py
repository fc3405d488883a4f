"""One key, one effect, one answer: of every operation that furnishes a service, sent twenty times at once and a day later."""

import asyncio
from datetime import timedelta

import pytest

from kantis_kit.ids import new_id

AT_ONCE = 20
NOT_NOW = ("urn:kantis:problem:busy", "urn:kantis:problem:still-running")


class ManyHands:
    """Sends every creation by many hands under one key, and remembers it."""

    def __init__(self):
        self.sent = []

    async def __call__(self, house, path, given):
        given["headers"] = {**given.get("headers", {}), "Idempotency-Key": str(new_id())}
        answers = await asyncio.gather(*(house.client.post(path, **given) for _ in range(AT_ONCE)))
        answers.append(await house.insist("POST", path, **given))
        told = [one for one in answers if not any(problem in one.text for problem in NOT_NOW)]
        assert {200, 201, 202, 204} >= {one.status_code for one in told}, (path, told[0].text)
        first = [one for one in told if "idempotency-replayed" not in one.headers]
        assert 1 == len(first), path
        assert 1 == len({(one.content, one.headers.get("location")) for one in told}), path

        other = await house.client.post(f"{path}?other=1", **given)
        assert "urn:kantis:problem:idempotency-mismatch" == other.json()["type"], path
        # Whoever found another caller's key would be told that the bodies differ, or their answer.
        async with house.rig.client(caller="another") as stranger:
            theirs = await stranger.post(path, content=b"{", headers=given["headers"])
        assert "idempotency-replayed" not in theirs.headers, path
        assert "idempotency-mismatch" not in theirs.text, path
        self.sent.append((path, given, first[0]))
        return first[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["analytics", "campaign", "contacts", "messaging", "orders"])
async def test_whatever_is_sent_twenty_times_under_one_key_is_done_and_answered_once(
    furnished, name
):
    hands = ManyHands()
    async with furnished(name, hands) as house:
        assert hands.sent
        house.rig.clock.advance(timedelta(hours=25))
        async with house.rig.client() as client:
            for path, given, first in hands.sent:
                again = await client.post(path, **given)
                assert again.content in (
                    first.content,
                    b"",
                )  # emptied, when the person was erased since
                assert (first.status_code, "true") == (
                    again.status_code,
                    again.headers.get("idempotency-replayed"),
                ), path
