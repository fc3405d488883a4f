"""Why nothing goes on: what waits in which service, in one sentence."""

from collections.abc import Iterator, Mapping
from typing import Any

from kantis.demo.client import Api, CallFailed


async def what_stands_still(api: Api) -> str:
    """Return a sentence with the services that are not well, their outboxes, parked messages, and held sending."""
    found: list[str] = []
    try:
        # Not ready is an answer, too; it must not be asked for again until it is well.
        answer = await api.ask("/readyz")
        found += _of_services(answer.json()["services"])
        sending = (await api.ask("/v1/messages/sending")).json()
        found += _of_sending(sending)
    except (CallFailed, ValueError, KeyError, TypeError, AttributeError):
        found.append("the installation does not say how it is")
    return f"What stands still: {'; '.join(found)}." if found else "Nothing is known to wait."


def _of_services(services: Mapping[str, Any]) -> Iterator[str]:
    for name, state in sorted(services.items()):
        checks = state.get("checks", {})
        outbox, parked = checks.get("outbox", {}), checks.get("parked", {})
        if outbox.get("waiting"):
            age = outbox.get("oldest_seconds", 0)
            yield f"{outbox['waiting']:,} events in the outbox of {name}, the oldest {age:.0f} s old"
        if parked.get("messages"):
            yield f"{parked['messages']:,} parked messages of {name} (`kantis parked list`)"
        broker = checks.get("broker", {})
        if broker and broker.get("state") != "up":
            yield f"{name} has no connection to the broker"
        if not state["ok"]:
            details = [one["detail"] for one in checks.values() if one.get("detail")]
            yield f"{name} is not ready ({', '.join(details) or state.get('detail', 'no reason told')})"


def _of_sending(sending: Mapping[str, Any]) -> Iterator[str]:
    if sending["held"]:
        yield f"sending is held ({sending['reason']})"
    waiting = {state: count for state, count in sending["waiting"].items() if count}
    if waiting:
        told = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in waiting.items())
        yield f"messages without an end: {told}"
