"""The link in the mail about an invoice: it opens for years, shows that invoice, and changes nothing."""

from datetime import timedelta

import pytest

from kantis_contracts.contacts.privacy import ErasureRequest, ErasureRequestedV1
from kantis_contracts.orders import NoticeRequestedV1
from kantis_kit.auth.links import LinkSigner
from kantis_kit.ids import new_id
from orders_svc.billing.documents.links import path_to


async def sent(desk):
    """Return an invoice and the link to it in its mail."""
    await desk.ready("ABCDE2")
    answer = await desk.order(code="ABCDE2")
    invoice = await desk.ship(answer["order_id"])
    await desk.drain()
    (notice,) = [one for one in desk.rig.items(NoticeRequestedV1) if one.kind == "invoice_issued"]
    base, _, path = notice.facts["document_url"].partition("/i/")
    assert "http://kantis.test" == base
    return invoice, f"/i/{path}"


async def test_the_link_shows_the_invoice_and_its_paper_and_what_is_still_open(desk):
    invoice, path = await sent(desk)
    await desk.pay(invoice["reference"], 10_000)

    page = await desk.client.get(path)
    paper = await desk.client.get(f"{path}/pdf")

    assert 200 == page.status_code
    assert ("nb", "no-store") == (
        page.headers["content-language"],
        page.headers["cache-control"],
    )
    assert f"Faktura {invoice['number']}" in page.text
    assert "149,00\xa0kr" in page.text
    assert f'href="{path}/pdf"' in page.text
    assert "application/pdf" == paper.headers["content-type"]
    assert (
        paper.content
        == (await desk.client.get(f"/v1/invoices/{invoice['invoice_id']}/pdf")).content
    )


async def test_a_credit_note_has_a_link_of_its_own(desk):
    invoice, _ = await sent(desk)
    await desk.client.post(
        f"/v1/invoices/{invoice['invoice_id']}/credit-notes",
        json={"lines": [{"line_no": 1, "quantity": 1}], "reason": "Retur"},
    )
    await desk.drain()

    (notice,) = [
        one for one in desk.rig.items(NoticeRequestedV1) if one.kind == "credit_note_issued"
    ]
    page = await desk.client.get(notice.facts["document_url"].removeprefix("http://kantis.test"))

    assert "Kreditnota K2026-000001" in page.text
    assert f"<td>{invoice['number']}</td>" in page.text


@pytest.mark.parametrize("ending", ["", "/pdf"])
async def test_a_forged_an_old_and_a_foreign_link_open_nothing(desk, ending):
    invoice, path = await sent(desk)
    signer, now = desk.rig.service.scope.extras[LinkSigner], desk.rig.clock.now()
    foreign = signer.make("survey", bytes.fromhex(invoice["invoice_id"].replace("-", "")))
    old = path_to(signer, new_id(), now=now - timedelta(days=9_999))
    unknown = path_to(signer, new_id(), now=now)

    for wrong in (path[:-3] + "AAA", f"/i/{foreign}", old, unknown, "/i/x"):
        answer = await desk.client.get(wrong + ending, headers={"Accept-Language": "fi"})
        assert 404 == answer.status_code
        assert "Linkki ei toimi" in answer.text
    assert 405 == (await desk.client.post(path)).status_code


async def test_an_invoice_of_a_forgotten_person_is_shown_to_nobody_and_not_made_anew(desk):
    invoice, path = await sent(desk)
    person_id = invoice["person_id"]
    await desk.rig.publish(
        ErasureRequestedV1(
            items=(
                ErasureRequest(
                    erasure_id=new_id(),
                    person_ids=(person_id,),
                    requested_at=desk.rig.clock.now(),
                ),
            )
        )
    )
    await desk.drain()

    page = await desk.client.get(path)
    ubl = await desk.client.get(
        f"/v1/invoices/{invoice['invoice_id']}/ubl", params={"endpoint": "0192:987654325"}
    )

    assert 404 == page.status_code
    assert (409, "urn:kantis:problem:buyer-forgotten") == (ubl.status_code, ubl.json()["type"])
    assert "books:read" in ubl.json()["detail"]
