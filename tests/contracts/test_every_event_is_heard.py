"""An event that nobody is bound for stays in its outbox for ever: every published type has a consumer."""

from kantis.registry import SERVICES, spec_of
from kantis_contracts.base import REGISTRY
from kantis_contracts.base import SERVICES as PRODUCERS
from kantis_kit.consumer import subscriptions


def test_every_event_of_the_house_has_a_consumer():
    published = {kind for kind in REGISTRY if kind.split(".", 1)[0] in PRODUCERS}
    heard = {
        kind
        for name in SERVICES
        for one in subscriptions(spec_of(name).handlers)
        for kind in one.types
    }

    assert set() == published - heard


def test_no_service_listens_to_itself():
    for name in SERVICES:
        for one in subscriptions(spec_of(name).handlers):
            assert one.queue.split(".", 1)[0] == name
            assert not [kind for kind in one.types if kind.split(".", 1)[0] == name]
