"""What a place shows to whom, and what becomes of it."""

from datetime import timedelta
from html import unescape

from kantis_contracts.contacts import SegmentChange
from kantis_contracts.messaging import LinkClickedV1, MessageOpenedV1
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id


async def test_a_stranger_sees_what_everybody_sees_and_caches_may_keep_it(site):
    await site.show("<p>Velkommen til {{ company }}</p>", languages={
        "nb": "<p>Velkommen til {{ company }}</p>", "fi": "<p>Tervetuloa</p>",
    })  # fmt: skip

    answer = await site.visit()

    assert 200 == answer.status_code
    assert ("<p>Velkommen til Lys AS</p>", "nb", False) == tuple(
        answer.json()[name] for name in ("html", "language", "is_personal")
    )
    assert "public, max-age=60" == answer.headers["cache-control"]
    assert "*" == answer.headers["access-control-allow-origin"]
    again = await site.visit(**{"If-None-Match": answer.headers["etag"]})
    assert (304, b"") == (again.status_code, again.content)
    assert "<p>Tervetuloa</p>" == (await site.get({"language": "fi"})).json()["html"]
    assert "nb" == (await site.get({"language": "xx"})).json()["language"], "the place's own"
    assert answer.json() == (await site.visit()).json(), "what caches keep never changes by itself"


async def test_a_segment_sees_its_own_and_only_who_agrees_is_known(site):
    segment, kari, ola = new_id(), site.house.person(0), site.house.person(2)
    await site.know(kari, ola)
    await site.show("<p>Alle</p>", priority=10)
    await site.show(
        "<p>{{ greeting() }}!</p>", audience={"kind": "segment", "id": str(segment)}, priority=20
    )
    await site.move(segment, kari.person_id, SegmentChange.ENTERED, 2)
    await site.move(new_id(), ola.person_id, SegmentChange.ENTERED, 2)

    known = await site.visit(kari.person_id)

    assert ("<p>Hei Kari0!</p>", True) == (known.json()["html"], known.json()["is_personal"])
    assert "private, no-cache" == known.headers["cache-control"]
    token = site.token(kari.person_id)
    for neutral in (
        await site.visit(ola.person_id),
        await site.visit(new_id()),
        await site.visit(kari.person_id, **{"Sec-GPC": "1"}),
        await site.get({"language": "nb", "who": token}),
        await site.get({"language": "nb", "who": token[:-2] + "AA", "consent": "1"}),
    ):
        assert "<p>Alle</p>" == neutral.json()["html"]
    await site.move(segment, kari.person_id, SegmentChange.LEFT, 5)
    await site.move(segment, kari.person_id, SegmentChange.ENTERED, 3)  # late
    assert "<p>Alle</p>" == (await site.visit(kari.person_id)).json()["html"]
    pool = await site.rig.service.database.pool()
    assert 1 == await pool.fetchval("SELECT count(*) FROM web_member"), "of others nothing is kept"


async def test_what_a_launch_shows_is_accepted_when_it_is_seen_and_evidence_is_kept(site):
    kari, ola = site.house.person(0), site.house.person(2)
    await site.know(kari, ola)
    await site.permit(kari.person_id)
    launch = site.house.launch([kari.person_id, ola.person_id], channel=Channel.WEB)
    await site.rig.publish(launch)
    await site.rig.drain()
    await site.prepare()
    await site.show(
        '<p>{{ greeting() }}: {{ offer_name }} <a href="{{ response_url }}">Ja</a></p>',
        audience={"kind": "campaign", "id": str(launch.campaign_id)},
    )

    shown = (await site.visit(kari.person_id)).json()

    assert "<p>Hei Kari0: Lampe Æø" in shown["html"]
    assert "/r/C0DE0000" in unescape(shown["html"])
    assert 204 == (await site.visit(ola.person_id)).status_code, "never said yes"
    assert {"planned", "suppressed"} == {row["state"] for row in await site.house.rows()}
    site.rig.clock.advance(timedelta(minutes=1))
    assert 204 == (await site.report(shown, "shown")).status_code
    assert 204 == (await site.report(shown, "clicked")).status_code
    ended = {row["person_id"]: row for row in await site.house.until_ended(2)}
    assert "accepted" == ended[kari.person_id]["state"]
    assert ("suppressed", "no_permission") == tuple(
        ended[ola.person_id][name] for name in ("state", "rule")
    )
    await site.rig.drain()
    for kind in (MessageOpenedV1, LinkClickedV1):
        assert [(kari.person_id, "web")] == [
            (one.person_id, one.channel) for one in site.rig.items(kind)
        ]
    figures = (await site.api("GET", "/front/figures")).json()
    assert [(1, 1, 0)] == [(one["shown"], one["clicked"], one["dismissed"]) for one in figures]

    await site.permit(kari.person_id, state="withdrawn", version=2)

    assert 204 == (await site.visit(kari.person_id)).status_code, (
        "a no holds for what was seen, too"
    )


async def test_what_nobody_looked_at_expires_with_its_launch(site):
    kari = site.house.person(0)
    await site.know(kari)
    await site.permit(kari.person_id)
    until = site.rig.clock.now() + timedelta(days=1)
    launch = site.house.launch([kari.person_id], channel=Channel.WEB, not_after=until)
    await site.rig.publish(launch)
    await site.rig.drain()
    await site.prepare()
    content = await site.show(
        "<p>Hei</p>", audience={"kind": "campaign", "id": str(launch.campaign_id)}
    )
    shown = (await site.visit(kari.person_id)).json()

    site.rig.clock.set(until)

    assert 204 == (await site.visit(kari.person_id)).status_code
    await site.prepare()
    assert ["expired"] == [row["state"] for row in await site.house.rows()]
    await site.report(shown, "shown")
    assert ["expired"] == [row["state"] for row in await site.house.rows()]
    assert content["id"] == shown["content_id"]


async def test_priority_days_and_what_was_put_away_decide_what_is_shown(site):
    segment, kari, now = new_id(), site.house.person(0), site.rig.clock.now()
    await site.know(kari)
    await site.show("<p>Alle</p>")
    await site.show("<p>Snart</p>", priority=90, valid_from=(now + timedelta(days=1)).isoformat())
    await site.show("<p>Over</p>", priority=95, valid_to=now.isoformat())
    mine = await site.show(
        '<p>Din <a href="#dismiss">Lukk</a></p>',
        audience={"kind": "segment", "id": str(segment)},
        priority=80,
    )
    await site.move(segment, kari.person_id, SegmentChange.ENTERED, 1)

    shown = (await site.visit(kari.person_id)).json()

    assert mine["id"] == shown["content_id"]
    for _ in range(2):
        assert 204 == (await site.report(shown, "dismissed")).status_code
    assert "<p>Alle</p>" == (await site.visit(kari.person_id)).json()["html"]
    site.rig.clock.advance(timedelta(days=1))
    assert "<p>Snart</p>" == (await site.visit()).json()["html"]


async def test_other_texts_are_a_new_version_and_what_is_taken_away_is_not_shown(site):
    content = await site.show("<p>Én</p>")
    path = f"/front/contents/{content['id']}"

    for text, number in (("<p>Én</p>", 1), ("<p>To</p>", 2)):
        changed = await site.api("PUT", path, json={"name": "Forside", "languages": {"nb": text}})
        assert number == changed.json()["number"], changed.text

    shown = (await site.visit()).json()
    assert ("<p>To</p>", 2) == (shown["html"], shown["version"])
    assert 204 == (await site.api("DELETE", path)).status_code
    assert 204 == (await site.visit()).status_code
    assert [True] == [one["is_off"] for one in (await site.api("GET", "/front/contents")).json()]


async def test_a_server_asks_for_a_person_by_the_api(site):
    segment, kari = new_id(), site.house.person(0)
    await site.know(kari)
    await site.show("<p>{{ preferred_name }}</p>", audience={"kind": "segment", "id": str(segment)})
    await site.move(segment, kari.person_id, SegmentChange.ENTERED, 1)

    found = await site.api("GET", "/front/shown", params={"person_id": str(kari.person_id)})

    assert "<p>Kari0</p>" == found.json()["html"]
    assert 404 == (await site.api("GET", "/front/shown")).status_code


async def test_what_cannot_be_is_refused_with_the_place_and_the_words(site):
    segment = {"kind": "segment", "id": str(new_id())}
    for body, field, words in (
        ({"languages": {"nb": "<p>{{ preferred_name }}</p>"}}, "languages.nb", "not known"),
        ({"languages": {"nb": "<script>alert(1)</script>"}}, "languages.nb", "nothing is left"),
        ({"languages": {"nb": "{% for x in y %}"}}, "languages.nb", "loops"),
        ({"languages": {"nb": "<p>x</p>"}, "audience": {"kind": "segment"}}, "audience", "name the segment"),
        (
            {"languages": {"nb": '<p title="{{ preferred_name }}">x</p>'}, "audience": segment},
            "languages.nb", "an attribute",
        ),
        (
            {"languages": {"nb": "<style>{{ preferred_name }}</style><p>x</p>"}, "audience": segment},
            "languages.nb", "nothing of a page is kept",
        ),
        ({"languages": {"nb": "x"}, "valid_from": "2026-02-02T00:00Z", "valid_to": "2026-02-01T00:00Z"}, "", "later"),
    ):  # fmt: skip
        answer = await site.api("POST", "/front/contents", json={"name": "x"} | body)
        assert 422 == answer.status_code, body
        told = answer.json()["errors"][0]
        assert field in told["field"], told
        assert words in told["message"], told
    body = {"name": "x", "languages": {"nb": "x"}}
    assert 404 == (await site.api("POST", "/nowhere/contents", json=body)).status_code
    assert 404 == (await site.api("PUT", f"/front/contents/{new_id()}", json=body)).status_code
    assert 422 == (await site.api("PUT", "/Not A Key", json={"name": "x"})).status_code


async def test_reports_that_are_not_ours_are_refused_and_objections_are_heeded(site):
    await site.show("<p>Alle</p>")
    shown = (await site.visit()).json()

    forged = shown | {"evidence": shown["evidence"][:-2] + "AA"}
    assert 422 == (await site.report(forged, "shown")).status_code
    assert 422 == (await site.report(shown, "loved")).status_code
    async with site.rig.anonymous() as visitor:
        unreadable = await visitor.post("/w/seen", content=b"\xff{")
    assert (422, "urn:kantis:problem:invalid-web-evidence") == (
        unreadable.status_code, unreadable.json()["type"]
    )  # fmt: skip
    assert 204 == (await site.report(shown, "shown", headers={"Sec-GPC": "1"})).status_code
    assert [] == (await site.api("GET", "/front/figures")).json()
    await site.report(shown, "shown")
    assert [1] == [one["shown"] for one in (await site.api("GET", "/front/figures")).json()]
    site.rig.clock.advance(timedelta(days=400))
    assert 204 == (await site.report(shown, "shown")).status_code, "caches keep it"


async def test_the_script_knows_its_address_and_may_be_kept(site):
    async with site.rig.anonymous() as visitor:
        script = await visitor.get("/w/places.js")

    assert 200 == script.status_code
    assert "DATA" not in script.text
    base = site.rig.service.settings.public_url.rstrip("/")
    assert f'base = "{base}"' in script.text
    assert base in (await site.api("GET", "")).json()[0]["tag"]
