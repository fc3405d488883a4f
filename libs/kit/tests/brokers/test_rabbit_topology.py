"""The record of bindings: what was bound and is not in the code any longer is unbound, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from kantis_kit.brokers.port import Subscription
from kantis_kit.brokers.rabbit_topology import Names, plan, read_records, write_record

types = st.frozensets(st.sampled_from(["a.b.made.v1", "a.b.sent.v1", "a.b.paid.v1"]))
records = st.dictionaries(st.sampled_from(["s.one", "s.two", "s.three"]), types)


@given(records, records)
def test_after_the_change_exactly_the_code_is_bound(recorded, wanted):
    change = plan(recorded, [Subscription(queue, tuple(types)) for queue, types in wanted.items()])

    bound = {(queue, type_) for queue, types in recorded.items() for type_ in types}
    bound = (bound - set(change.unbind)) | set(change.bind)
    for queue in {*recorded, *wanted}:
        expected = wanted.get(queue, recorded.get(queue))
        assert expected == {type_ for name, type_ in bound if name == queue}
        assert expected == change.record[queue]


@given(records)
def test_a_record_is_read_as_it_was_written(record):
    assert record == read_records([write_record(record)])


def test_several_records_count_together_and_rubbish_counts_as_nothing():
    bodies = [b'{"s.one": ["x"]}', b"rubbish", b"[1]", b'{"s.one": 7}', b'{"s.one": ["y"]}']

    assert {"s.one": {"x", "y"}} == read_records(bodies)


def test_no_argument_that_protects_messages_is_missing():
    names = Names("orders", "kantis.events")
    protecting = {
        "x-queue-type": "quorum",
        "x-delivery-limit": 9,
        "x-overflow": "reject-publish",
    }

    assert protecting == names.plain_arguments(9)
    assert {
        **protecting,
        "x-dead-letter-exchange": "kantis.events.aside",
        "x-dead-letter-routing-key": "orders.desk.dead",
        "x-dead-letter-strategy": "at-least-once",
    } == names.queue_arguments("orders.desk", 9)
