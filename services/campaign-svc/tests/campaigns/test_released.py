"""What is told of pieces that may be sent is what the contract describes, however it is written."""

from datetime import UTC, datetime
from decimal import Decimal

import orjson

from campaign_svc.campaigns import events
from campaign_svc.campaigns.model import Campaign, Cell, Launch, NewPiece
from campaign_svc.campaigns.routing import Way
from kantis_contracts.base import MAX_BYTES, MAX_ITEMS
from kantis_contracts.campaign import OfferCard, Piece, PieceReleasedV1, ProductBlock
from kantis_contracts.values import Channel
from kantis_kit.ids import new_id, new_id_text
from kantis_kit.outbox import cut

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WAY = Way(Channel.EMAIL, new_id(), 35)
OFFER = OfferCard(
    offer_id=new_id(), product_id=new_id(), name='"Tørkle"', price_minor=19900, currency="NOK"
)
BLOCKS = (ProductBlock(name="Å \\ skål", price_minor=100), ProductBlock(name="Lampe"))


def released(pieces):
    campaign = Campaign(
        id=new_id(), name='Vår "26"', segment_id=new_id(), purpose="offers", channel="email", currency="NOK",
        expected_response_pct=Decimal("2.5"), state="running", created_at=NOW, updated_at=NOW, not_after=NOW,
    )  # fmt: skip
    launch = Launch(
        id=new_id(), campaign_id=campaign.id, preflight_id=new_id(), state="running", launched_at=NOW,
        launched_by="kari",
    )  # fmt: skip
    cell = Cell(
        id=new_id(), campaign_id=campaign.id, name="A", key_code="AAAA", share_pct=100, template_id=WAY.template_id
    )  # fmt: skip
    told = list(
        cut(
            events.pieces_released(
                campaign, launch, cell, WAY, segment_name="Kunder", offer=OFFER, products=BLOCKS, pieces=pieces
            )
        )
    )  # fmt: skip
    return campaign, launch, cell, told


def test_pieces_are_told_as_the_contract_says_and_nothing_of_it_is_missing():
    one, two = (NewPiece(new_id_text(), new_id_text(), code) for code in ("0" * 10, "1" * 10))
    why = ('navn er "Æ"', "land er NO")

    campaign, launch, cell, [told] = released([(why, [one]), ((), [two])])

    event = PieceReleasedV1.model_validate_json(told)
    assert (
        Piece(
            piece_id=one.id, person_id=one.person_id, response_code="0" * 10, because=why, products=BLOCKS
        ),
        Piece(piece_id=two.id, person_id=two.person_id, response_code="1" * 10, products=BLOCKS),
    ) == event.items  # fmt: skip
    assert (campaign.id, campaign.name, launch.id, cell.id) == (
        event.campaign_id, event.campaign_name, event.launch_id, event.cell_id,
    )  # fmt: skip
    assert (OFFER, 35, NOW, 2.5, "Kunder") == (
        event.offer, event.cost_per_piece_minor, event.not_after, event.expected_response_pct, event.segment_name,
    )  # fmt: skip
    assert set(PieceReleasedV1.model_fields) == set(orjson.loads(told))


def test_a_large_release_travels_in_parts_that_each_say_the_whole():
    pieces = [NewPiece(new_id_text(), new_id_text(), "0" * 10) for _ in range(MAX_ITEMS + 1)]

    *_, told = released([(("a clause " * 20,), pieces)])

    parts = [PieceReleasedV1.model_validate_json(one) for one in told]
    assert [one.id for one in pieces] == [str(item.piece_id) for one in parts for item in one.items]
    assert 1 == len({(one.launch_id, one.key_code, one.offer.price_minor) for one in parts})
    assert all(len(one) <= MAX_BYTES for one in told)
