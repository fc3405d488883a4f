"""Parcels: boxes, numbers with control digits, and labels whose codes a reader finds."""

import pytest

from kantis_contracts.contacts import PersonChangedV1
from kantis_contracts.values import PostalAddress
from kantis_kit.ids import new_id
from kantis_kit.testing.printed import Printed
from orders_svc.labels.codes import gs1_digit, is_whole, s10, scanned, sscc
from orders_svc.labels.typeset import PAGE_MM, Label, render
from orders_svc.main import SPEC


@pytest.fixture
async def packer(rig_for, desk_of):
    """A desk whose post has given it five numbers, with an order that is being picked."""
    numbers = {"s10_first": 47_312_482, "s10_numbers": 2}
    async with desk_of(await rig_for(SPEC, settings={"orders": numbers})) as desk:
        await desk.ready("ABCDE2", stock=5)
        desk.order_id = (await desk.order(code="ABCDE2", quantity=3))["order_id"]
        await desk.client.post(f"/v1/orders/{desk.order_id}/pick")
        yield desk


async def pack(desk, **body):
    return await desk.client.post(f"/v1/orders/{desk.order_id}/parcels", json=body)


def boxes(*quantities):
    return [{"lines": [{"line_no": 1, "quantity": one}], "weight_grams": 900} for one in quantities]


def codes_on(folder, pdf, page=1):
    found = Printed(folder, pdf, PAGE_MM).codes(page, 0, 95, 102, 52, ppi=300)
    (text,) = found
    return text


@pytest.mark.parametrize(
    ("prefix", "serial", "number"),
    [("1234567", 1, "012345670000000015"), ("0614141", 999_999_999, "006141419999999994")],
)
def test_an_sscc_has_its_control_digit(prefix, serial, number):
    assert number == sscc(prefix, serial)
    assert is_whole(number)
    assert not is_whole(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_the_control_digits_are_those_that_gs1_and_the_post_print():
    assert "3" == gs1_digit("629104150021")
    assert "7" == gs1_digit("10614141192837465")
    assert "RR473124829NO" == s10("RR", 47_312_482, "NO")
    assert is_whole("RR473124829NO")
    assert not is_whole("RR473124828NO")


def test_a_serial_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="more than the 9 digits"):
        sscc("1234567", 10**9)


@pytest.mark.parametrize(
    ("as_scanned", "code"),
    [
        ("(00) 0 1234567 000000001 5", "012345670000000015"),
        ("00012345670000000015", "012345670000000015"),
        ("rr 473 124 829 no", "RR473124829NO"),
        ("012345670000000015", "012345670000000015"),
    ],
)
def test_a_number_is_read_as_scanners_give_it(as_scanned, code):
    assert code == scanned(as_scanned)


async def test_a_reader_finds_the_number_on_each_label(packer, tmp_path):
    packed = (await pack(packer, boxes=boxes(1, 2))).json()["items"]

    labels = await packer.client.get(f"/v1/orders/{packer.order_id}/labels")
    one = await packer.client.get(f"/v1/parcels/{packed[1]['parcel_id']}/label")

    assert "application/pdf" == labels.headers["content-type"]
    codes = [f"(00){parcel['code']}" for parcel in packed]
    assert codes == [codes_on(tmp_path, labels.content, page) for page in (1, 2)]
    assert codes[1] == codes_on(tmp_path, one.content)
    assert all(is_whole(parcel["code"]) for parcel in packed)


async def test_a_postal_item_has_a_number_of_the_post_until_they_are_used_up(packer, tmp_path):
    first = (await pack(packer, numbering="s10")).json()["items"]
    labels = await packer.client.get(f"/v1/orders/{packer.order_id}/labels")
    await packer.client.delete(f"/v1/orders/{packer.order_id}/parcels")
    too_many = await pack(packer, numbering="s10", boxes=boxes(1, 1, 1))

    assert ["RR473124829NO"] == [one["code"] for one in first]
    assert "RR473124829NO" == codes_on(tmp_path, labels.content)
    assert (409, True) == (too_many.status_code, "S10_NUMBERS" in too_many.json()["detail"])


async def test_material_is_taken_from_the_shelf_once_however_often_an_order_is_packed(packer):
    await packer.product(5, sku="BOX-S", name="Eske", kind="material", price_minor=0)
    rule = {"name": "Box", "material": "BOX-S"}
    assert 201 == (await packer.client.post("/v1/products/packing-rules", json=rule)).status_code

    first = (await pack(packer)).json()["items"]
    await packer.client.delete(f"/v1/orders/{packer.order_id}/parcels")
    await pack(packer, boxes=boxes(1, 2))

    assert [{"sku": "BOX-S", "name": "Eske", "quantity": 1}] == first[0]["material"]
    assert [(4,)] == await packer.rows("SELECT on_hand FROM product WHERE sku = 'BOX-S'")


async def test_what_is_packed_leaves_and_can_be_followed(packer):
    packed = (await pack(packer, boxes=boxes(1))).json()
    whole = (await pack(packer, boxes=boxes(1, 2))).json()["items"]
    again = await pack(packer)
    named = await packer.client.post(
        f"/v1/orders/{packer.order_id}/ship", json={"lines": [{"line_no": 1, "quantity": 1}]}
    )
    shipped = (await packer.client.post(f"/v1/orders/{packer.order_id}/ship")).json()
    parcels = (await packer.get(f"/v1/orders/{packer.order_id}/parcels"))["items"]

    assert packed["type"].endswith("other-than-picked")
    assert {"1": 3} == packed["picked"]
    assert [409, 409] == [again.status_code, named.status_code]
    assert ", ".join(one["code"] for one in whole) == shipped["tracking"]
    assert ["sent", "sent"] == [one["state"] for one in parcels]
    left = await packer.client.get(f"/v1/orders/{packer.order_id}/labels")
    assert 404 == left.status_code


@pytest.mark.parametrize(
    ("address", "field", "said"),
    [
        ({"postal_code": ""}, "postal_code", "the postal code is missing"),
        ({"postal_code": "155"}, "postal_code", "four digits"),
        ({"postal_code": "0000"}, "postal_code", "0000 is no postal code"),
        ({"street": ""}, "street", "missing"),
        ({"city": ""}, "city", "missing"),
    ],
)
async def test_nothing_is_packed_for_an_address_from_which_it_would_come_back(
    packer, address, field, said
):
    ((person_id,),) = await packer.rows("SELECT person_id FROM person")
    home = PostalAddress(
        **{"street": "Storgata 9", "postal_code": "0155", "city": "Oslo", **address}
    )
    person = packer.person(person_id=person_id, version=2, address=home)
    await packer.rig.publish(PersonChangedV1(items=(person,)))
    await packer.drain()

    answer = await pack(packer)

    assert (409, field) == (answer.status_code, answer.json()["field"])
    assert said in answer.json()["detail"]
    assert [] == (await packer.get(f"/v1/orders/{packer.order_id}/parcels"))["items"]


async def test_an_order_that_is_called_off_is_unpacked(packer):
    await pack(packer)
    await packer.client.post(f"/v1/orders/{packer.order_id}/cancel")

    assert [] == (await packer.get(f"/v1/orders/{packer.order_id}/parcels"))["items"]
    assert 409 == (await pack(packer)).status_code


@pytest.mark.parametrize("path", ["", "/label"])
async def test_a_parcel_that_is_not_there_is_not_found(packer, path):
    assert 404 == (await packer.client.get(f"/v1/parcels/{new_id()}{path}")).status_code


def test_what_a_customer_is_called_is_never_read_as_markup(tmp_path):
    name = "#panic(1) $x$ *Kari* `a`"

    pdf = render([Label("RR473124829NO", ("Lys",), (name, "A"), "", "", "1", 0, 1, 1)])

    assert "RR473124829NO" == codes_on(tmp_path, pdf)
