"""Looking changes nothing: state changes by POST, PUT, PATCH and DELETE alone (OWASP ASVS 3.5.3)."""

from collections.abc import Iterator
from typing import Any

READING = ("GET", "HEAD", "OPTIONS")
EVIDENCE = ("/c/", "/o/")
"""Addresses in delivered mail whose opening is itself what is recorded: clicks and openings."""

EVIDENCE_TABLES = {"messaging": {"public.engagement"}}

UNREACHED = {
    "contacts": {
        "/v1/operations/contacts/parked/{queue}/{event_id}",
        "/v1/contacts/{contact_id}/fields/{key}",  # each look is an entry in the audit log
        "/v1/privacy/dossiers/{dossier_id}",  # and so is each of these
        "/v1/privacy/dossiers/{dossier_id}/page",
        "/p/data/{token}/everything/file",  # is there when every other service has answered
    }
}
"""What answers nobody here with a success, of the services that are furnished with everything."""


def addresses(house: Any, description: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return every path with what exists in its gaps, bare, with what it needs and with all that it knows; by path."""
    for path, operations in description["paths"].items():
        tokens, *names = (part.rpartition("}")[0] or part for part in path.split("{"))
        names = [part.partition("}")[0] for part in path.split("{")[1:]]
        known = house.known.values
        values = {name: known.get(tokens) or known.get(name) or ["x"] for name in names}
        query = {
            one["name"]: (known.get(one["name"]) or ["1"])[0]
            for one in operations.get("get", {}).get("parameters", ())
            if one["in"] == "query"
        }
        needed = {
            one["name"]
            for one in operations.get("get", {}).get("parameters", ())
            if one["in"] == "query" and one.get("required")
        }
        last = names[-1] if names else ""
        for number in range(len(values.get(last, "x"))):
            # Of things below a thing, all those of the first one: it was furnished with everything.
            chosen = {name: found[0] for name, found in values.items()}
            bare = path.format(**chosen | ({last: values[last][number]} if names else {}))
            yield path, bare
            if needed:
                yield path, f"{bare}?{'&'.join(f'{name}={query[name]}' for name in sorted(needed))}"
            yield path, f"{bare}?{'&'.join(f'{name}={value}' for name, value in query.items())}"


async def test_reading_everything_changes_nothing(house):
    before, seen, reached = await house.fingerprint(), set(), set()

    for client, description in (
        (house.client, house.description()),
        (house.anonymous, house.pages()),
    ):
        for path, address in addresses(house, description):
            if address.startswith(EVIDENCE):
                reached.add(path)
                continue
            for method in READING:
                answer = await client.request(method, address)
                seen.add((method, answer.status_code))
                if method == "GET" and answer.is_success:
                    reached.add(path)
    for address in ("/livez", "/readyz", "/metrics", "/openapi.json"):
        assert 200 == (await house.anonymous.get(address)).status_code
    await house.rig.drain()

    assert ("GET", 200) in seen
    readable = {
        path
        for description in (house.description(), house.pages())
        for path, operations in description["paths"].items()
        if "get" in operations
    }
    name = house.rig.service.spec.name
    assert UNREACHED.get(name, readable - reached) == readable - reached
    assert before == await house.fingerprint()


async def test_what_stands_in_a_delivered_mail_records_evidence_and_nothing_else(house):
    before = await house.fingerprint()

    for prefix in EVIDENCE:
        for token in house.known.values.get(prefix, ()):
            for method in READING:
                assert (await house.anonymous.request(method, prefix + token)).status_code < 500
    await house.rig.drain()

    after = await house.fingerprint()
    changed = {table for table in after if before[table] != after[table]}
    assert changed == EVIDENCE_TABLES.get(house.rig.service.spec.name, set())
