"""Ways to domains, and what keeps messages from them: by a clock that stands in the test's hand."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kantis_kit.ids import new_id
from messaging_svc.relays.routes import Group, Relay, Routes
from messaging_svc.relays.traffic import Traffic
from messaging_svc.wire.answers import Refused

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Item:
    id: UUID
    is_marketing: bool = True
    claimed_until: datetime = NOW + timedelta(minutes=1)


def _item(**changes):
    return Item(new_id(), **changes)


def _traffic():
    return Traffic(random.Random(1))


def _routes(*groups):
    return Routes([Relay(new_id(), "only", "h", 25)], groups)


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ("kunde.example", ["general", "spare"]),
        ("big.example", ["special", "general", "spare"]),
        ("mx.big.example", ["general", "spare"]),
        ("outlook.no", ["grouped", "general", "spare"]),
        ("blåbær.example", ["idn", "general", "spare"]),
    ],
)
def test_relays_come_by_rank_and_the_one_meant_for_the_domain_first(domain, names):
    relays = [
        Relay(new_id(), name, "h", 25, domains=domains, priority=priority)
        for name, domains, priority in (
            ("spare", (), 90), ("general", (), 50), ("special", ("big.example",), 50),
            ("grouped", ("group:ms",), 50), ("idn", ("xn--blbr-roah.example",), 50),
        )
    ]  # fmt: skip
    routes = Routes(relays, [Group("ms", ("outlook.*", "hotmail.*"))])

    assert names == [routes.relays[one].name for one in routes.to(domain).relays]


def test_the_group_that_says_most_of_a_domain_limits_it_alone_or_together():
    routes = _routes(
        Group("all", ("*",), is_together=False, messages_per_minute=10),
        Group("ms", ("outlook.*", "hotmail.*"), messages_per_minute=5),
    )

    told = [
        (routes.to(one).lane, routes.to(one).messages_per_minute)
        for one in ("a.no", "Outlook.no", "hotmail.se")
    ]
    assert [("a.no", 10), ("group:ms", 5), ("group:ms", 5)] == told  # fmt: skip


def test_so_many_at_once_and_a_place_that_was_lost_comes_back_with_its_claim():
    traffic, route = _traffic(), _routes(Group("g", ("*",), connections=2)).to("a.no")
    first, second = _item(), _item()

    assert [None, None] == [traffic.admit(one, route, NOW) for one in (first, second)]
    waits = traffic.admit(_item(), route, NOW)
    assert waits is not None
    assert waits.until > NOW
    assert waits.why == "2 at once to group:g"
    traffic.ended(first.id, NOW)
    assert traffic.admit(_item(claimed_until=NOW + timedelta(hours=9)), route, NOW) is None
    assert traffic.admit(_item(), route, NOW) is not None
    assert traffic.admit(_item(), route, NOW + timedelta(minutes=2)) is None


def test_what_somebody_waits_for_goes_at_once_and_counts():
    traffic, route = _traffic(), _routes(Group("g", ("*",), messages_per_minute=2)).to("a.no")

    told = [
        traffic.admit(_item(is_marketing=one), route, NOW) for one in (True, False, False, True)
    ]

    assert [None, None, None] == told[:3]
    assert told[3].until == NOW + timedelta(minutes=1)


def test_senders_share_a_limit():
    traffic, route = _traffic(), _routes(Group("g", ("*",), messages_per_minute=4)).to("a.no")
    traffic.senders = 2

    assert 2 == sum(traffic.admit(_item(), route, NOW) is None for _ in range(4))


@pytest.mark.parametrize(
    ("answer", "often"),
    [
        ((421, "4.7.0 too many"), 1), ((451, "4.7.1 later"), 1), ((450, "4.3.2 no mail now"), 1), ((451, "busy"), 3),
        ((452, "4.2.2 mailbox full"), None), ((451, "4.1.8 sender"), None), ((550, "5.7.1 no"), None),
    ],
)  # fmt: skip
def test_an_answer_about_the_domain_closes_it_and_one_about_a_mailbox_does_not(answer, often):
    traffic, route = _traffic(), _routes().to("a.no")

    closed_after = None
    for n in range(1, 6):
        traffic.refused(route, Refused(*answer), NOW)
        if traffic.concerns(route) and traffic.admit(_item(), route, NOW) is not None:
            closed_after = n
            break

    assert often == closed_after


def test_after_its_pause_a_domain_gets_one_message_then_a_longer_pause_or_all():
    traffic, route = _traffic(), _routes().to("a.no")
    traffic.refused(route, Refused(421, "4.7.0 too many"), NOW)
    (first,) = traffic.take_closed()

    later = first.closed_until + timedelta(seconds=1)
    trial = _item(claimed_until=later + timedelta(minutes=1))
    assert traffic.admit(trial, route, later) is None
    assert "tried again" in traffic.admit(_item(), route, later).why
    traffic.refused(route, Refused(421, "4.7.0 still"), later)
    traffic.ended(trial.id, later)
    (second,) = traffic.take_closed()
    assert second.closed_until - later > (first.closed_until - NOW) * 1.2
    again = second.closed_until + timedelta(seconds=1)
    assert traffic.admit(_item(claimed_until=again + timedelta(1)), route, again) is None
    traffic.answered(route)

    assert not traffic.concerns(route)
    assert ["a.no"] == traffic.take_opened()


def test_what_one_sender_leaves_alone_the_others_do_too_until_it_is_opened():
    one, other, route = _traffic(), _traffic(), _routes().to("a.no")
    one.refused(route, Refused(421, "no"), NOW)
    closed = one.take_closed()

    other.adopt(closed)
    assert "a.no puts mails off: 421 no" == other.admit(_item(), route, NOW).why
    other.adopt([])
    assert other.admit(_item(), route, NOW) is None


def test_what_is_told_of_a_domain_names_nobody():
    traffic, route = _traffic(), _routes().to("a.no")
    traffic.refused(route, Refused(421, "4.7.0 <kari.nord@a.no>: too many for kari.nord@a.no"), NOW)

    (closed,) = traffic.take_closed()
    assert "421 4.7.0 <…>: too many for …" == closed.answer
