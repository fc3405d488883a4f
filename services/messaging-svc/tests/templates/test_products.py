"""Products that a template names by itself: from the catalogue into the mail."""

import pytest

from kantis_contracts import campaign
from kantis_contracts.campaign import OfferCard, ProductBlock
from kantis_contracts.orders import (
    AlsoBought,
    ProductCard,
    ProductChangedV1,
    Recommendation,
    RecommendationChangedV1,
)
from kantis_contracts.values import Language
from kantis_kit.ids import new_id

HTML = """<p>{{ greeting() }},</p><ul>{% for product in products %}
<li>{{ product.name }} {{ product.price }} <a href="{{ product.url }}">Kj\u00f8p</a></li>{% endfor %}</ul>"""
TEXTS = {"nb": {"subject": "Nyheter", "html": HTML}}


@pytest.fixture
async def shop(house):
    await _change(house, *(_card(n) for n in range(4)))
    return house


async def _change(house, *cards):
    await house.rig.publish(ProductChangedV1(items=cards))
    await house.rig.drain()


IDS = [new_id() for _ in range(4)]


def _card(n, version=1, **changes):
    values = {
        "product_id": IDS[n], "version": version, "sku": f"LAMP{n}", "name": f"Lampe {n}",
        "price_minor": 19900 + n * 100, "currency": "NOK", "vat_pct": 25, "available": 5,
    }  # fmt: skip
    return ProductCard(**(values | changes))


async def _save(house, products, status=201, texts=TEXTS):
    async with house.rig.client() as client:
        body = {"name": "Nyheter", "languages": texts, "products": products}
        answer = await client.post("/v1/templates", json=body)
    assert status == answer.status_code, answer.text
    if status == 201:
        house.template_id = answer.json()["id"]
    return answer


async def _mailed(house, launch=None, **changes):
    kari = house.person()
    await house.know(kari)
    event = launch or house.launch([kari.person_id], **changes)
    await house.rig.publish(event)
    await house.until_ended()
    (mail,) = house.mails()
    return mail.get_body(("html",)).get_content().replace("\N{NO-BREAK SPACE}", " ")


async def test_a_message_shows_what_its_template_names_as_the_catalogue_has_it_then(shop):
    await _change(
        shop,
        _card(0, version=3, price_minor=9900),
        _card(0, version=2, price_minor=1),
        _card(1, version=2, available=0),
        _card(2, version=2, is_active=False),
    )
    await _save(shop, ["LAMP3", "LAMP1", "LAMP2", "LAMP0"])

    page = await _mailed(shop)

    assert "Lampe 3 202,00" in page
    assert "Lampe 0 99,00" in page
    assert page.index("Lampe 3") < page.index("Lampe 0")
    assert "Lampe 1" not in page
    assert "Lampe 2" not in page


async def test_what_a_piece_brings_stands_before_what_the_template_names(shop):
    await _save(shop, ["LAMP0"])
    kari = shop.person()
    await shop.know(kari)
    launch = shop.launch([kari.person_id])
    own = ProductBlock(name="Bare for deg", price_minor=100, url="https://lys.example/x")
    piece = launch.items[0].model_copy(update={"products": (own,)})

    page = await _mailed(shop, launch.model_copy(update={"items": (piece,)}))

    assert "Bare for deg" in page
    assert "Lampe 0" not in page


async def test_preview_and_test_mail_show_them_too(shop):
    await _save(shop, ["LAMP1"])
    async with shop.rig.client() as client:
        preview = await client.post(
            f"/v1/templates/{shop.template_id}/preview", json={"language": "nb"}
        )
    test = campaign.TestMessage(
        test_id=new_id(), campaign_id=new_id(), cell_id=new_id(), template_id=shop.template_id,
        to_email="vi@lys.example", preferred_name="Sjef", language=Language.NB,
    )  # fmt: skip
    await shop.rig.publish(campaign.TestRequestedV1(items=(test,)))
    await shop.until_ended()

    (mail,) = shop.mails()
    for page in (preview.text, mail.get_body(("html",)).get_content()):
        assert 1 == page.count("Lampe 1"), page


async def test_a_product_that_is_not_there_is_refused_and_one_that_is_sold_out_is_told(shop):
    refused = await _save(shop, ["LAMP0", "TULIP"], 422)
    await _save(shop, ["LAMP0", "LAMP1"])
    await _change(shop, _card(1, version=2, available=0))
    async with shop.rig.client() as client:
        answer = await client.post(
            f"/v1/templates/{shop.template_id}/check", json={"has_products": False}
        )
        version = (await client.get(f"/v1/templates/{shop.template_id}/versions/1")).json()

    (error,) = refused.json()["errors"]
    assert ("products", True) == (error["field"], "TULIP" in error["message"])
    found = {one["code"]: one["message"] for one in answer.json()["findings"]}
    assert "LAMP1 cannot be bought now" in found["product-not-for-sale"]
    assert "field-always-empty" not in found, "the template brings its own"
    assert ["LAMP0", "LAMP1"] == version["products"]


async def test_who_offers_nothing_has_nothing_recommended_with_it_and_a_launch_is_told_so(shop):
    texts = {"nb": {"subject": "Nyheter", "html": HTML.replace("products", "recommendations")}}
    await _save(shop, [], texts=texts)
    async with shop.rig.client() as client:
        answer = await client.post(
            f"/v1/templates/{shop.template_id}/check",
            json={"has_offer": False, "has_products": False},
        )

    assert ["recommendations is empty for everybody: the launch carries none"] == [
        one["message"] for one in answer.json()["findings"] if one["code"] == "field-always-empty"
    ]


async def _recommend(house, n, *others, version=1):
    also = tuple(
        AlsoBought(product_id=IDS[one], sku=f"LAMP{one}", lift=2.5, buyers=7) for one in others
    )
    told = Recommendation(product_id=IDS[n], version=version, also=also)
    await house.rig.publish(RecommendationChangedV1(items=(told,)))
    await house.rig.drain()


async def test_a_message_recommends_what_others_bought_with_what_it_offers(shop):
    await _recommend(shop, 0, 2, 3, 1, version=2)
    await _recommend(shop, 0, version=1)
    await _change(shop, _card(3, version=2, available=0))
    texts = {"nb": {"subject": "Nyheter", "html": HTML.replace("products", "recommendations")}}
    await _save(shop, [], texts=texts)
    offer = OfferCard(
        offer_id=new_id(), product_id=IDS[0], name="Lampe 0", price_minor=19900, currency="NOK"
    )

    page = await _mailed(shop, offer=offer)

    assert page.index("Lampe 2 201,00") < page.index("Lampe 1 200,00")
    assert "Lampe 0" not in page
    assert "Lampe 3" not in page, "it cannot be bought now"
