"""Templates through the API: versions never change, flaws are named, the preview can do no harm."""

import asyncpg
import pytest

from kantis_kit.ids import new_id

GOOD = {
    "nb": {
        "subject": "Hei {{ preferred_name }}",
        "html": "<p>{{ greeting() }} {{ offer_price }}</p>",
    }
}


@pytest.fixture
async def rig(open_house):
    return (await open_house(smtp_host="")).rig


async def test_a_template_is_made_read_changed_and_archived(rig):
    async with rig.client(scopes=["messaging:write"]) as client:
        made = await client.post("/v1/templates", json={"name": "Vår", "languages": GOOD})
        path = made.headers["location"]
        second = await client.put(path, json={"languages": {"sv": GOOD["nb"]}})
        first = await client.get(f"{path}/versions/1")
        listed = await client.get("/v1/templates")
        archived = await client.delete(path)
        after = await client.get("/v1/templates")
        refused = await client.put(path, json={"languages": GOOD})
        nothing = await client.get(f"/v1/templates/{new_id()}")

    assert (201, 1, ["nb"]) == (made.status_code, made.json()["version"], made.json()["languages"])
    assert (2, ["sv"]) == (second.json()["version"], second.json()["languages"])
    assert GOOD["nb"]["subject"] == first.json()["languages"]["nb"]["subject"]
    assert [1, 0] == [len(answer.json()["items"]) for answer in (listed, after)]
    assert [204, 409, 404] == [answer.status_code for answer in (archived, refused, nothing)]


async def test_a_version_cannot_be_changed_even_in_the_database(rig):
    async with rig.client() as client:
        await client.post("/v1/templates", json={"name": "Vår", "languages": GOOD})

    pool = await rig.service.database.pool()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("UPDATE template_version SET number = 7")


async def test_flaws_are_named_by_language_with_how_to_mend_them(rig):
    bad = {
        "nb": {"subject": "a\nb", "html": "<p>x</p>"},
        "sv": {"subject": "x", "html": "<p>{{ naem }}</p>"},
    }

    async with rig.client() as client:
        answer = await client.post("/v1/templates", json={"name": "Vår", "languages": bad})

    assert (422, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    said = {error["field"]: error["message"] for error in answer.json()["errors"]}
    assert {"languages.nb", "languages.sv"} == set(said)
    assert "the field naem is not known; there are company" in said["languages.sv"]


async def test_a_preview_is_a_sandboxed_page_with_the_imagined_reader(rig):
    async with rig.client() as client:
        made = await client.post("/v1/templates", json={"name": "Vår", "languages": GOOD})
        path = f"/v1/templates/{made.json()['id']}/preview"
        shown = await client.post(
            path, json={"language": "nb", "preferred_name": "<script>x</script>"}
        )
        unsaved = await client.post(
            path,
            json={
                "language": "da",
                "languages": {"da": {"subject": "x", "html": "<p>Ny tekst</p>"}},
            },
        )
        flawed = await client.post(
            path, json={"languages": {"da": {"subject": "x", "html": "{{ x }}"}}}
        )

    assert shown.headers["content-type"].startswith("text/html")
    assert shown.headers["content-security-policy"].startswith("sandbox;")
    assert "<script>" not in shown.text
    assert "499,00" in shown.text
    assert "Ny tekst" in unsaved.text
    assert 422 == flawed.status_code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/templates"),
        ("GET", "/v1/messages"),
        ("POST", "/v1/suppressions"),
        ("GET", "/v1/messages/in-doubt"),
    ],
)
async def test_without_the_scope_nothing_is_shown_or_changed(rig, method, path):
    async with rig.client(scopes=["orders:write"]) as stranger, rig.anonymous() as nobody:
        assert 403 == (await stranger.request(method, path, json={})).status_code
        assert 401 == (await nobody.request(method, path, json={})).status_code


@pytest.mark.parametrize("number", [0, -1, 2**31, 10**30])
async def test_a_version_that_no_template_can_have_is_refused(rig, number):
    async with rig.client(scopes=["messaging:read"]) as client:
        answer = await client.get(f"/v1/templates/{new_id()}/versions/{number}")

    assert 422 == answer.status_code
