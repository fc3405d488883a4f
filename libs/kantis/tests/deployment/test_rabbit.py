"""What the rights in RabbitMQ match, judged as RabbitMQ does it: a search with the expression."""

import re

import pytest

from kantis.deployment.rabbit import ASIDE, EXCHANGE, definitions
from kantis.registry import ALL, spec_of
from kantis_kit.brokers.rabbit_topology import Names
from kantis_kit.consumer import subscriptions

LISTENING = {name: subscriptions(spec_of(name).handlers) for name in ALL}
GIVEN = definitions(dict.fromkeys(ALL, "x"), LISTENING)
every_service = pytest.mark.parametrize("service", ALL)


def permission(service):
    (found,) = [each for each in GIVEN["permissions"] if each["user"] == service]
    return found


def topic(service, exchange):
    (found,) = [
        each
        for each in GIVEN["topic_permissions"]
        if (each["user"], each["exchange"]) == (service, exchange)
    ]
    return found


def allows(expression: str, name: str) -> bool:
    return re.search(expression, name) is not None


@every_service
def test_a_service_may_do_what_its_subscriptions_need(service):
    names, rights = Names(service, EXCHANGE), permission(service)
    queues = [each.queue for each in LISTENING[service]]
    own = [names.record, *queues, *map(names.dead, queues)]

    for queue in own:
        assert all(allows(rights[right], queue) for right in ("configure", "write", "read"))
        assert allows(topic(service, ASIDE)["write"], queue)
        assert allows(topic(service, ASIDE)["read"], queue)
    for each in LISTENING[service]:
        assert all(allows(topic(service, EXCHANGE)["read"], type_) for type_ in each.types)
    for exchange in (EXCHANGE, ASIDE):
        assert allows(rights["write"], exchange)
        assert allows(rights["read"], exchange)


@every_service
def test_a_service_may_touch_nothing_of_another(service):
    rights = permission(service)
    others = [each.queue for other in ALL if other != service for each in LISTENING[other]]
    never = [*others, f"x{service}.a", service, "", "amq.default", "amq.topic", f"{EXCHANGE}.x"]

    for name in never:
        assert not any(allows(rights[right], name) for right in ("configure", "write", "read")), (
            name
        )
    assert not allows(rights["configure"], EXCHANGE)
    assert not allows(rights["configure"], ASIDE)


@every_service
def test_a_service_may_speak_in_its_own_name_only(service):
    for exchange in (EXCHANGE, ASIDE):
        right = topic(service, exchange)["write"]
        assert allows(right, f"{service}.thing.changed.v1")
        for other in ALL:
            assert other == service or not allows(right, f"{other}.{service}.changed.v1")


@every_service
@pytest.mark.parametrize("pattern", ["#", "*.*.*.*", "*", "stranger.thing.changed.v1", ""])
def test_a_service_may_not_listen_to_what_it_has_no_handler_for(service, pattern):
    assert not allows(topic(service, EXCHANGE)["read"], pattern) or pattern == ""
    assert not allows(topic(service, ASIDE)["read"], pattern)


def test_no_exchange_is_without_rules_for_its_keys():
    ruled = {(each["user"], each["exchange"]) for each in GIVEN["topic_permissions"]}

    assert {(service, each["name"]) for service in ALL for each in GIVEN["exchanges"]} == ruled
    assert {"topic"} == {each["type"] for each in GIVEN["exchanges"]}
