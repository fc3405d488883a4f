"""The page behind a code."""

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.orders import AddressCorrectedV1, ResponseRegisteredV1, ResponseWay

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nb", "Tilbudet ditt"),
        ("sv", "Ditt erbjudande"),
        ("da", "Dit tilbud"),
        ("fi", "Tarjouksesi"),
        ("en", "Your offer"),
    ],
)
async def test_the_page_speaks_the_persons_language_and_names_nobody(desk, language, words):
    await desk.ready("ABCDE2", language=language, full_name="Kari Nordmann", preferred_name="Kari")

    async with desk.rig.anonymous() as visitor:
        page = await visitor.get("/r/abc-de2", headers={**HTML, "Accept-Language": "de"})

    assert (200, language) == (page.status_code, page.headers["content-language"])
    assert f'<html lang="{language}">' in page.text
    assert words in page.text
    assert f'<a href="/chat?lang={language}">' in page.text
    assert "Ullteppe til vinteren" in page.text
    for secret in ("Kari", "Nordmann", "Storgata", "0155"):
        assert secret not in page.text


async def test_the_page_lets_nothing_in_from_elsewhere_and_is_not_kept(desk):
    await desk.ready("ABCDE2")

    async with desk.rig.anonymous() as visitor:
        page = await visitor.get("/r/ABCDE2", headers=HTML)

    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "no-store" == page.headers["cache-control"]
    assert "<script" not in page.text


async def test_looking_at_the_page_changes_nothing(desk):
    await desk.ready("ABCDE2")

    async with desk.rig.anonymous() as visitor:
        for _ in range(3):
            await visitor.get("/r/ABCDE2", headers=HTML)

    assert [(0, 0)] == await desk.rows(
        "SELECT (SELECT count(*) FROM response), (SELECT sum(reserved) FROM product)"
    )


async def test_an_order_from_the_page_is_made_once_and_shown_again(desk):
    await desk.ready("ABCDE2")
    form = {"kind": "order", "quantity": "2", "note": "<b>gift</b>"}

    async with desk.rig.anonymous() as visitor:
        first = await visitor.post("/r/ABCDE2", data=form, headers=HTML)
        second = await visitor.post("/r/ABCDE2", data=form, headers=HTML)
        third = await visitor.post("/r/ABCDE2", data={**form, "again": "true"}, headers=HTML)
    await desk.drain()
    orders = (await desk.get("/v1/orders"))["items"]

    assert [200, 200, 200] == [page.status_code for page in (first, second, third)]
    assert 2 == len(orders)
    assert orders[0]["number"] in first.text
    assert orders[0]["number"] in second.text
    assert "ingenting er bestilt to ganger" in second.text
    assert orders[1]["number"] in third.text
    assert [2, 2] == [order["lines"][0]["quantity"] for order in orders]
    assert {ResponseWay.WEB} == {item.way for item in desk.rig.items(ResponseRegisteredV1)}


async def test_the_same_page_answers_programs_in_json(desk):
    await desk.ready("ABCDE2")

    async with desk.rig.anonymous() as visitor:
        offer = await visitor.get("/r/ABCDE2", headers=JSON)
        answer = await visitor.post("/r/ABCDE2", json={"kind": "order"})
        again = await visitor.post("/r/ABCDE2", json={"kind": "order"})

    assert ("nb", True, "249,00\xa0kr") == tuple(
        offer.json()[key] for key in ("language", "can_order", "price")
    )
    assert [201, 200] == [answer.status_code, again.status_code]
    assert (True, False) == (answer.json()["is_new"], again.json()["is_new"])
    assert answer.json()["order_number"] == again.json()["order_number"]


async def test_a_question_from_the_page_waits_for_its_answer(desk):
    await desk.ready("ABCDE2")

    async with desk.rig.anonymous() as visitor:
        page = await visitor.post(
            "/r/ABCDE2", data={"kind": "inquiry", "note": "Wool?"}, headers=HTML
        )
    (open_one,) = (await desk.get("/v1/responses", state="open"))["items"]

    assert "to arbeidsdager" in page.text
    assert ("answer_inquiry", "Wool?") == (open_one["next_step"], open_one["note"])


async def test_a_sold_out_order_from_the_page_is_noted_and_said_so(desk):
    await desk.ready("ABCDE2", stock=0)

    async with desk.rig.anonymous() as visitor:
        page = await visitor.post("/r/ABCDE2", data={"kind": "order"}, headers=HTML)

    assert "utsolgt" in page.text
    assert [("back_order",)] == await desk.rows("SELECT next_step FROM response")


@pytest.mark.parametrize(
    "code", ["ZZZZZ9", "x", "ABCDE2ABCDE2ABCDE2", "a" * 200, "%C3%A5", "ABCED2"]
)
async def test_an_unknown_code_gets_a_clear_page_and_stores_nothing(desk, code):
    await desk.ready("ABCDE2")

    async with desk.rig.anonymous() as visitor:
        page = await visitor.get(f"/r/{code}", headers={**HTML, "Accept-Language": "sv"})
        posted = await visitor.post(f"/r/{code}", data={"kind": "order"}, headers=HTML)
        told = await visitor.get(f"/r/{code}", headers=JSON)

    assert [404, 404, 404] == [one.status_code for one in (page, posted, told)]
    assert "Koden är okänd" in page.text
    assert "urn:kantis:problem:code-unknown" == told.json()["type"]
    assert [(0, 1)] == await desk.rows(
        "SELECT (SELECT count(*) FROM response), (SELECT count(*) FROM code)"
    )


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "gift"},
        {"quantity": "0"},
        {"quantity": "many"},
        {"hack": "1"},
        {"note": "x" * 2_001},
    ],
)
async def test_a_form_that_cannot_be_gets_a_clear_page_and_stores_nothing(desk, form):
    await desk.ready("ABCDE2")

    async with desk.rig.anonymous() as visitor:
        page = await visitor.post("/r/ABCDE2", data=form, headers=HTML)
        told = await visitor.post("/r/ABCDE2", json=form)

    assert [422, 422] == [page.status_code, told.status_code]
    assert "Noe mangler" in page.text
    assert [next(iter(form))] == [one["field"] for one in told.json()["errors"]]
    assert [(0,)] == await desk.rows("SELECT count(*) FROM response")


async def test_the_page_takes_wishes_answers_and_where_post_shall_go(desk):
    await desk.ready("ABCDE2", country="SE", language="sv")
    form = {
        "kind": "return",
        "answer.children": "two",
        "answer.garden": " ",
        "address.street": "Nygatan 2",
        "address.city": "",
    }

    async with desk.rig.anonymous() as visitor:
        page = await visitor.post("/r/ABCDE2", data=form, headers=HTML)
        no = await visitor.post("/r/ABCDE2", data={"kind": "refusal"}, headers=HTML)
        told = await visitor.post(
            "/r/ABCDE2",
            json={"kind": "complaint", "answers": [{"question": "why", "answer": "late"}]},
        )
    await desk.drain()

    assert [200, 200, 201] == [answer.status_code for answer in (page, no, told)]
    assert "Vi har noterat det" in no.text
    (moved,) = desk.rig.items(AddressCorrectedV1)
    assert ("Nygatan 2", "", "SE") == (moved.street, moved.city, moved.country)
    said = {one.kind: one.answers for one in desk.rig.items(ResponseRegisteredV1)}
    assert ["two"] == [one.answer for one in said["return"]]
    assert ["late"] == [one.answer for one in said["complaint"]]
    steps = {one["next_step"] for one in (await desk.get("/v1/responses", state="open"))["items"]}
    assert {"take_return", "answer_complaint"} == steps


async def test_a_body_that_is_no_json_is_refused(desk):
    await desk.ready("ABCDE2")

    async with desk.rig.anonymous() as visitor:
        answers = [
            await visitor.post(
                "/r/ABCDE2", content=body, headers={"Content-Type": "application/json"}
            )
            for body in (b"{", b"[1]", b"\xff")
        ]

    assert [422, 422, 422] == [answer.status_code for answer in answers]


async def test_what_a_product_is_called_is_never_read_as_markup(desk):
    product = await desk.product(name="x")
    person = desk.person()
    piece = desk.piece(person, product, "ABCDE2")
    assert piece.offer is not None
    evil = piece.offer.model_copy(update={"name": "<script>alert(1)</script>"})
    await desk.rig.publish(
        PersonChangedV1(items=(person,)), piece.model_copy(update={"offer": evil})
    )
    await desk.drain()

    async with desk.rig.anonymous() as visitor:
        page = await visitor.get("/r/ABCDE2", headers=HTML)

    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
