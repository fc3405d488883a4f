"""Pieces of quoted-printable can be joined in any order, and decode to what was encoded."""

import quopri

from hypothesis import example, given, settings
from hypothesis import strategies as st

from messaging_svc.wire.quoted import encode, encode_value

texts = st.text(
    st.one_of(st.characters(blacklist_categories=("Cs",)), st.sampled_from(list(". =\t-aé"))),
    max_size=200,
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(texts, st.booleans()), max_size=6))
@example([("." * 200, True), ("." * 200, False), (" ", True), (" \n ", False), ("\r", True)])
@example([("x" * 72 + ".yz", True), ("é" * 30 + ".", False)])
def test_joined_pieces_decode_to_the_joined_texts(pieces):
    raw = b"".join(encode_value(text) if as_value else encode(text) for text, as_value in pieces)

    text = "".join(text for text, _ in pieces).replace("\r\n", "\n").replace("\r", "\n")
    decoded = quopri.decodestring(raw + b"\r\n").removesuffix(b"\n").removesuffix(b"\r")
    split = [text.replace("\r\n", "\n").replace("\r", "\n") for text, _ in pieces]
    assert "".join(split) == decoded.replace(b"\r\n", b"\n").decode() or text == decoded.decode()
    lines = raw.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert not any(line.startswith(b".") or line.endswith((b" ", b"\t")) for line in lines)
