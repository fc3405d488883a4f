"""The outgoing client: few retries, a breaker, no redirects."""

from datetime import timedelta

import httpx
import pytest

from kantis_kit.clock import FrozenClock
from kantis_kit.errors import Unavailable
from kantis_kit.http import CircuitOpen, OutgoingClient, RetryBudget, Unanswered


class Server:
    """Answers what it is told to, and counts."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = 0

    def __call__(self, request):
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, headers={"Location": "http://elsewhere.test/"})


def client(server, clock=None, **more):
    return OutgoingClient(
        transport=httpx.MockTransport(server), clock=clock or FrozenClock(), **more
    )


async def test_a_read_is_tried_again_when_the_other_side_stumbles():
    server = Server(503, httpx.ConnectError("refused"), 200)

    answer = await client(server).request("GET", "http://a.test/")

    assert (200, 3) == (answer.status_code, server.calls)


async def test_a_post_is_sent_once_unless_the_caller_says_it_is_idempotent():
    server = Server(503)
    assert 503 == (await client(server).request("POST", "http://a.test/")).status_code
    assert 1 == server.calls

    server = Server(503, 200)
    answer = await client(server).request("POST", "http://a.test/", idempotent=True)
    assert (200, 2) == (answer.status_code, server.calls)


async def test_a_refusal_is_an_answer_not_a_failure():
    server = Server(404)

    assert 404 == (await client(server).request("GET", "http://a.test/")).status_code
    assert 1 == server.calls


async def test_redirects_are_not_followed():
    server = Server(302)

    assert 302 == (await client(server).request("GET", "http://a.test/")).status_code
    assert 1 == server.calls


async def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_trial_through_later():
    clock, server = FrozenClock(), Server(httpx.ConnectError("refused"))
    outgoing = client(server, clock, retries=0)
    for _ in range(5):
        with pytest.raises(Unavailable):
            await outgoing.request("GET", "http://a.test/")

    with pytest.raises(CircuitOpen):
        await outgoing.request("GET", "http://a.test/")
    assert 5 == server.calls

    clock.advance(timedelta(seconds=11))
    server.answers = [200]
    assert 200 == (await outgoing.request("GET", "http://a.test/")).status_code
    assert 200 == (await outgoing.request("GET", "http://a.test/")).status_code


async def test_one_host_that_is_away_does_not_close_another():
    clock = FrozenClock()

    def server(request):
        if request.url.host == "bad.test":
            raise httpx.ConnectError("refused")
        return httpx.Response(200)

    outgoing = client(server, clock, retries=0)
    for _ in range(6):
        with pytest.raises(Unavailable):
            await outgoing.request("GET", "http://bad.test/")

    assert 200 == (await outgoing.request("GET", "http://good.test/")).status_code


async def test_retries_stay_below_a_fifth_of_the_calls():
    budget = RetryBudget()
    retries = 0
    for _ in range(1_000):
        budget.record(retry=False)
        if budget.allows():
            budget.record(retry=True)
            retries += 1

    assert 250 >= retries


async def test_a_trial_that_is_cancelled_does_not_cut_the_host_off_for_ever():
    clock = FrozenClock()
    server = Server(*[httpx.ConnectError("refused")] * 5, RuntimeError("the caller has gone"), 200)
    outgoing = client(server, clock, retries=0)
    for _ in range(5):
        with pytest.raises(Unavailable):
            await outgoing.request("GET", "http://a.test/")
    clock.advance(timedelta(seconds=30))

    with pytest.raises(RuntimeError):
        await outgoing.request("GET", "http://a.test/")
    answer = await outgoing.request("GET", "http://a.test/")

    assert 200 == answer.status_code


@pytest.mark.parametrize(
    ("error", "may_have_arrived"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.LocalProtocolError("illegal header value"), False),
        (httpx.ReadTimeout("slow"), True),
        (httpx.WriteError("broken"), True),
        (httpx.RemoteProtocolError("gone"), True),
    ],
)
async def test_it_is_told_whether_an_unanswered_request_may_have_arrived(error, may_have_arrived):
    with pytest.raises(Unavailable) as failure:
        await client(Server(error)).request("POST", "http://a.test/")

    assert may_have_arrived == isinstance(failure.value, Unanswered)


async def test_whether_a_host_is_cut_off_can_be_asked_without_using_up_the_trial():
    clock, server = FrozenClock(), Server(httpx.ConnectError("refused"))
    outgoing = client(server, clock, retries=0)
    told = [outgoing.is_cut_off("http://a.test/x")]
    for _ in range(5):
        with pytest.raises(Unavailable):
            await outgoing.request("GET", "http://a.test/")

    told.append(outgoing.is_cut_off("http://a.test/x"))
    clock.advance(timedelta(seconds=11))
    told += [outgoing.is_cut_off("http://a.test/x"), outgoing.is_cut_off("http://a.test/x")]

    assert [False, True, False, False] == told
