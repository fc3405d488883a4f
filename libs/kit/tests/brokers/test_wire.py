"""The mapping to CloudEvents loses nothing and refuses what it cannot read, without quoting it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from kantis_contracts.base import Envelope
from kantis_kit.brokers.wire import Unreadable, from_attributes, to_attributes
from kantis_kit.testing.broker_bench import envelope

moments = st.integers(0, 10**16).map(
    lambda microseconds: datetime(1971, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
envelopes = st.builds(
    Envelope,
    id=st.uuids(),
    type=words,
    source=words,
    subject=st.none() | words,
    occurred_at=moments,
    recorded_at=moments,
    correlation_id=st.uuids(),
    causation_id=st.none() | st.uuids(),
    traceparent=st.none() | words,
    signature=st.just("") | words,
    data=st.binary(max_size=200),
)


@given(envelopes)
def test_what_goes_in_comes_out_and_is_signed_alike(sent):
    received = from_attributes(to_attributes(sent), sent.data)

    assert sent == received
    assert sent.signed_bytes() == received.signed_bytes()


@given(envelopes)
def test_the_attributes_are_those_of_a_cloudevent(sent):
    event = CloudEvent({**to_attributes(sent), "time": sent.occurred_at})

    assert sent.type == event.get_type()
    assert sent.source == event.get_source()


def test_a_moment_with_another_offset_is_written_in_utc():
    oslo = timezone(timedelta(hours=1))
    sent = envelope().model_copy(update={"occurred_at": datetime(2026, 3, 2, 10, tzinfo=oslo)})

    assert "2026-03-02T09:00:00Z" == to_attributes(sent)["time"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"specversion": None}, "specversion"),
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "missing CloudEvents attributes: id"),
        ({"type": None, "time": None}, "missing CloudEvents attributes: type, time"),
        ({"id": "no uuid"}, "id: "),
        ({"time": "2026-03-02T09:00:00"}, "occurred_at: .*timezone"),
        ({"causationid": 7}, "causation_id: "),
        ({"subject": ["a", "list"]}, "subject: "),
    ],
)
def test_what_cannot_be_read_is_named(change, reason):
    attributes = {**to_attributes(envelope()), **change}

    with pytest.raises(Unreadable, match=reason):
        from_attributes(attributes, b"{}")


def test_the_reason_does_not_quote_what_was_sent():
    attributes = {**to_attributes(envelope()), "id": "ola@nordmann.example"}

    with pytest.raises(Unreadable) as problem:
        from_attributes(attributes, b"{}")
    assert "nordmann" not in str(problem.value)
    assert problem.value.__cause__ is None


def test_a_payload_above_the_limit_is_refused():
    with pytest.raises(Unreadable, match="data: "):
        from_attributes(to_attributes(envelope()), bytes(600 * 1024))
