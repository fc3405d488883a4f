"""Looking changes nothing: state changes by POST, PUT, PATCH and DELETE alone (OWASP ASVS 3.5.3)."""

from collections.abc import Iterator
from typing import Any

READING = ("GET", "HEAD", "OPTIONS")
EVIDENCE = ("/c/", "/o/")
"""Addresses in delivered mail whose opening is itself what is recorded: clicks and openings."""

EVIDENCE_TABLES = {"messaging": {"public.engagement"}}


def addresses(house: Any, description: dict[str, Any]) -> Iterator[str]:
    """Return every path with what exists in its gaps, once bare and once with every parameter that it knows."""
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
        for number in range(max(map(len, values.values()), default=1)):
            bare = path.format(
                **{name: found[number % len(found)] for name, found in values.items()}
            )
            yield bare
            yield f"{bare}?{'&'.join(f'{name}={value}' for name, value in query.items())}"


async def test_reading_everything_changes_nothing(house):
    before, seen = await house.fingerprint(), set()

    for client, description in (
        (house.client, house.description()),
        (house.anonymous, house.pages()),
    ):
        for address in addresses(house, description):
            if address.startswith(EVIDENCE):
                continue
            for method in READING:
                answer = await client.request(method, address)
                seen.add((method, answer.status_code))
    for address in ("/livez", "/readyz", "/metrics", "/openapi.json"):
        assert 200 == (await house.anonymous.get(address)).status_code
    await house.rig.drain()

    assert ("GET", 200) in seen
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
