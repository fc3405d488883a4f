"""Merge review: two contacts side by side, and what becomes of them."""

from kantis_kit.ids import new_id

PAIR, LEFT, RIGHT, MERGE = (str(new_id()) for _ in range(4))


def person(id_, **given):
    return {
        "id": id_, "full_name": "Åse", "preferred_name": "", "street": "", "postal_code": "", "city": "", "emails": [],
        "phones": [], "created_at": "2026-03-02T09:00:00Z", **given,
    }  # fmt: skip


def lay_out(services, state="open"):
    pair = {
        "id": PAIR, "score": 80, "reasons": ["same_name", "same_street"], "state": state,
        "contacts": [person(LEFT, emails=["a@x.test"]), person(RIGHT, emails=["b@x.test"])],
    }  # fmt: skip
    services.answer("GET", "/v1/duplicates", {"items": [pair], "next_cursor": None})


async def test_two_are_seen_side_by_side_with_what_differs(console, services):
    lay_out(services)
    browser = await console.browser("marketer")

    page = (await browser.get("/console/duplicates")).text

    assert "Alike: 80 of 100: same name, same street" in page
    assert 1 == page.count('class="differs"')
    assert "a@x.test" in page.split('class="differs"', 1)[1].split("</tr>", 1)[0]


async def test_they_are_merged_told_apart_and_made_two_again(console, services):
    lay_out(services)
    merge = {
        "id": MERGE, "known_id": LEFT, "merged_id": RIGHT, "reason": "", "state": "done", "moved": {"email": 1},
        "merged_at": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    services.answer("GET", "/v1/merges", {"items": [merge], "next_cursor": None})
    browser = await console.browser("marketer")

    merged = await browser.send("/console/duplicates", "merge", known_id=RIGHT, merged_id=LEFT)
    await browser.send("/console/duplicates", "duplicate_dismiss", duplicate_id=PAIR)
    await browser.send("/console/duplicates?state=merged", "merge_undo", merge_id=MERGE)

    assert "/console/duplicates?done=merge" == merged.headers["location"]
    assert [
        ("/v1/merges", {"known_id": RIGHT, "merged_id": LEFT}),
        (f"/v1/duplicates/{PAIR}/dismiss", ""),
        (f"/v1/merges/{MERGE}/undo", ""),
    ] == services.sent("POST")


async def test_what_is_decided_is_asked_about_no_more_and_a_viewer_decides_nothing(
    console, services
):
    lay_out(services, state="dismissed")
    marketer = await console.browser("marketer")
    decided = (await marketer.get("/console/duplicates?state=dismissed")).text
    lay_out(services)
    viewer = await console.browser("viewer")
    looked = (await viewer.get("/console/duplicates")).text

    for page in (decided, looked):
        assert "Åse" in page
        assert 'value="merge"' not in page
