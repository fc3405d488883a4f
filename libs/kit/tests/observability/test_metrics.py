"""Figures are there when somebody looks, of every service of the process, and cost one reading a second."""

import dataclasses
import re
from datetime import timedelta

from kantis_kit import observability
from kantis_kit.consumer import MAX_ATTEMPTS
from kantis_kit.errors import BrokerError
from kantis_kit.ids import new_id
from kantis_kit.observability.metrics import Figures
from kantis_kit.testing.probe import SPEC, Made, ThingMadeV1


def made(name):
    return ThingMadeV1(items=(Made(id=new_id(), name=name),))


async def figures(rig):
    """Read /metrics as a collector does: `name{labels}` to value."""
    rig.service.figures.fresh_seconds = 0
    async with rig.anonymous() as client:
        answer = await client.get("/metrics")
    assert 200 == answer.status_code
    lines = re.findall(r"^(kantis\S*) (\S+)$", answer.text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


async def test_waiting_events_are_told_with_the_age_of_the_oldest(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        await client.post("/v1/things", json={"name": "one"})
        await client.post("/v1/things", json={"name": "two"})
    rig.clock.advance(timedelta(seconds=1))

    told = await figures(rig)

    assert 2 == told['kantis_outbox_rows{service="probe"}']
    assert told['kantis_outbox_age_seconds{service="probe"}'] > 0
    assert 1 == told['kantis_figures_fresh{service="probe"}']


async def test_the_depth_of_each_queue_is_told(rig_for):
    rig = await rig_for(SPEC, start=False, duplicate=False)
    await rig.publish(made("one"), made("two"), made("three"))

    told = await figures(rig)

    assert 3 == told['kantis_queue_depth{queue="probe.effects"}']


async def test_parked_messages_and_outcomes_are_told(rig_for):
    rig = await rig_for(SPEC, duplicate=False)
    before = await figures(rig)
    await rig.publish(made("poison"), made("good"))
    for _ in range(MAX_ATTEMPTS + 1):
        await rig.drain()
        rig.clock.advance(timedelta(minutes=10))
    await rig.drain()

    told = await figures(rig)

    def grown(name):
        return told[name] - before.get(name, 0)

    assert 1 == told['kantis_parked_rows{service="probe"}']
    outcome = 'kantis_events_consumed_total{{outcome="{}",queue="probe.effects"}}'.format
    assert 1 == grown(outcome("handled"))
    assert MAX_ATTEMPTS - 1 == grown(outcome("retried"))
    assert 1 == grown(outcome("parked"))
    assert 1 == grown('kantis_consumer_lag_seconds_count{queue="probe.effects"}')


async def test_a_service_adds_figures_of_its_own(rig_for):
    async def read(service):
        observability.in_doubt_rows.labels(service.spec.name).set(7)

    rig = await rig_for(dataclasses.replace(SPEC, gauges=[read]))

    assert 7 == (await figures(rig))['kantis_in_doubt_rows{service="probe"}']


async def test_a_broker_that_is_away_leaves_the_service_ready_and_the_depth_out(
    rig_for, monkeypatch
):
    rig = await rig_for(SPEC, start=False)
    assert 'kantis_queue_depth{queue="probe.effects"}' in await figures(rig)

    async def away(_queue):
        raise BrokerError("away")

    monkeypatch.setattr(rig.service.broker, "depth", away)
    told = await figures(rig)
    async with rig.anonymous() as client:
        ready = await client.get("/readyz")

    assert 'kantis_queue_depth{queue="probe.effects"}' not in told
    assert 200 == ready.status_code


async def test_figures_that_cannot_be_read_say_so_and_do_not_fail_the_page(rig_for, monkeypatch):
    rig = await rig_for(SPEC, start=False)

    async def broken():
        raise OSError("away")

    monkeypatch.setattr(rig.service.relay, "lag", broken)

    assert 0 == (await figures(rig))['kantis_figures_fresh{service="probe"}']


async def test_many_who_look_at_once_cost_one_reading():
    readings = []

    async def read():
        readings.append(1)

    figures = Figures("many", read, fresh_seconds=3600)
    for _ in range(20):
        assert await figures.refresh() is None

    assert [1] == readings


async def test_a_failed_reading_is_tried_again_at_the_next_look():
    outcomes = [OSError("away"), None]

    async def read():
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    figures = Figures("flaky", read, fresh_seconds=3600)

    assert isinstance(await figures.refresh(), OSError)
    assert await figures.refresh() is None


async def test_a_service_with_too_much_to_count_stays_ready(rig_for, monkeypatch):
    rig = await rig_for(SPEC, start=False)

    async def slow():
        raise TimeoutError

    monkeypatch.setattr(rig.service.relay, "lag", slow)
    async with rig.anonymous() as client:
        ready = await client.get("/readyz")

    assert 200 == ready.status_code
    assert "could not be counted in time" == ready.json()["checks"]["outbox"]["detail"]


async def test_methods_that_nobody_knows_are_counted_under_one_name(rig_for):
    rig = await rig_for(SPEC)
    async with rig.anonymous() as client:
        for method in ("BREW", "PROPFIND"):
            await client.request(method, "/v1/things")

    told = await figures(rig)

    methods = {method for name in told for method in re.findall(r'method="([^"]*)"', name)}
    assert "other" in methods
    assert not {"BREW", "PROPFIND"} & methods
