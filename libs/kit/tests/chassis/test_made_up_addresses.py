"""Addresses that nobody was given: NUL characters, and places in lists that do not exist."""

import pytest

from kantis_kit.testing.probe import SPEC
from kantis_kit.web.paging import encode_cursor


@pytest.mark.parametrize("path", ["/v1/things/%00", "/v1/things?cursor=a%00b", "/other%00"])
async def test_a_nul_character_in_an_address_is_refused_before_anything_is_asked(rig_for, path):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await client.get(path)

    assert (400, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert "%00" in answer.json()["detail"]


async def test_a_made_up_place_among_the_parked_messages_is_refused(rig_for):
    rig = await rig_for(SPEC, start=False)
    async with rig.client() as client:
        answer = await client.get(
            "/v1/operations/probe/parked", params={"cursor": encode_cursor("x", "y")}
        )

    assert (422, "cursor") == (answer.status_code, answer.json()["detail"][:6])
