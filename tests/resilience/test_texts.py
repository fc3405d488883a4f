"""The provider of text messages takes them and does not say so: nobody pays twice, and no cap is passed."""

from collections import Counter
from uuid import UUID

import pytest
from mail_house import LONG, tell

from kantis_contracts.values import Channel
from kantis_kit.testing.http import Answer, HttpSink, json_answer
from kantis_kit.testing.waiting import eventually

PRICE = 100
CONCURRENCY = 4


def hears_and_hangs_up(request):
    """Take every message; of one in five hang up without an answer."""
    if int(request.form()["to"][-3:]) % 5 == 0:
        return Answer(is_hung_up=True)
    return json_answer({"id": "s1", "status": "created"})


async def prepare(house):
    """Send at every hour, for a price, at most so much a day; return the template's id."""
    async with house.client() as client:
        day = {"opens": "00:00"}
        await client.put(
            "/v1/sending-rules/hours/sms", json={"days": [day] * 7, "rests_on_holidays": False}
        )
        made = await client.post(
            "/v1/sms/templates", json={"name": "Vår", "languages": {"nb": "Hei STOPP"}}
        )
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


async def send_and_never_know(open_mail_house, *, total, cap, kills, rabbit=None):
    async with (
        HttpSink(answer=hears_and_hangs_up) as provider,
        open_mail_house(
            rabbit=rabbit, SMS_PROVIDER="46elks", SMS_URL=provider.url, SMS_USER="u", SMS_PASSWORD="p",
            SMS_SENDER="Lys AS", SMS_CONCURRENCY=str(CONCURRENCY),
        ) as house,
    ):  # fmt: skip
        house.template_id = await prepare(house)
        limit = {"channel": "sms", "period": "day", "currency": "NOK", "limit_minor": cap * PRICE}
        async with house.client() as client:
            assert (
                201 == (await client.post("/v1/sending-rules/spend-caps", json=limit)).status_code
            )
        people = await house.people(total)
        sender, other = await house.hire(), await house.hire()
        priced = {"channel": Channel.SMS, "cost_per_piece_minor": PRICE, "currency": "NOK"}
        await house.rig.publish(*house.launch(people, **priced))
        for turn in range(kills):
            goal = cap * (turn + 1) // (kills + 1)
            await eventually(
                lambda goal=goal: len(provider.requests) >= goal,
                message=f"{goal} messages did not come",
                within=LONG,
            )
            victim = (sender, other)[turn % 2]
            await victim.kill()
            await victim.launch()

        async def at_the_cap():
            states = await house.states()
            ended = states["accepted"] + states["in_doubt"]
            waiting = await house.ask(
                "SELECT FROM dispatch WHERE state = 'planned' AND rule = 'waits_for_budget'"
            )
            return (ended, len(waiting)) == (cap, total - cap)

        await eventually(at_the_cap, message="the cap was not reached", within=LONG)
        charged = Counter(one.form()["to"] for one in provider.requests)
        states = await house.states()
        listed = await house.listed_in_doubt()
        unanswered = sum(int(number[-3:]) % 5 == 0 for number in charged)

        assert {1} == set(charged.values())
        assert len(charged) <= cap
        assert states["in_doubt"] == len(listed) <= unanswered + kills * CONCURRENCY
        assert unanswered <= len(listed)
        tell(
            f"kills {kills}, messages {total}, cap {cap}, charged {len(charged)}, each once; "
            f"unanswered {unanswered}, in doubt and listed {len(listed)}"
        )


@pytest.mark.timeout(300)
async def test_text_messages_that_were_taken_without_a_word_are_paid_once_and_the_cap_holds(
    open_mail_house,
):
    await send_and_never_know(open_mail_house, total=40, cap=30, kills=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_two_thousand_text_messages_and_ten_kills(open_mail_house):
    await send_and_never_know(open_mail_house, total=2_000, cap=1_500, kills=10)


@pytest.mark.slow
@pytest.mark.rabbit
@pytest.mark.timeout(900)
async def test_two_thousand_text_messages_and_ten_kills_on_rabbitmq(
    open_mail_house, rabbit_to_break
):
    await send_and_never_know(
        open_mail_house, total=2_000, cap=1_500, kills=10, rabbit=rabbit_to_break
    )
