"""Signed links, tokens and keys: bound to their purpose, refused when touched."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantis_contracts.base import Envelope
from kantis_kit.auth.links import LinkSigner
from kantis_kit.auth.policy import Policy, needs, public
from kantis_kit.auth.principal import Principal
from kantis_kit.auth.tokens import TokenVerifier, issue_token, jwk_of
from kantis_kit.clock import FrozenClock
from kantis_kit.errors import Unauthenticated
from kantis_kit.ids import new_id
from kantis_kit.signing import KeyMissing, Keys, make_keys

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SIGNER = LinkSigner.from_text("2:" + "11" * 32 + ",1:" + "22" * 32)
OLD = LinkSigner.from_text("1:" + "22" * 32)


@given(
    st.binary(min_size=1, max_size=40),
    st.sampled_from(["click", "open", "unsubscribe", "preferences"]),
)
def test_a_token_gives_back_what_was_put_in_for_its_purpose_alone(payload, purpose):
    token = SIGNER.make(purpose, payload)

    assert payload == SIGNER.read(purpose, token, now=NOW)
    assert SIGNER.read("another", token, now=NOW) is None


@given(st.integers(0, 60), st.characters(codec="ascii"))
def test_a_token_changed_in_any_place_is_refused(place, character):
    token = SIGNER.make("click", b"sixteen bytes ok")
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]

    if changed != token:
        assert SIGNER.read("click", changed, now=NOW) in (
            None,
            b"sixteen bytes ok",
        )  # unused bits of base64
        if place < len(token) - 1:
            assert SIGNER.read("click", changed, now=NOW) is None


@pytest.mark.parametrize("token", ["", "a", "é", "====", "A" * 500, "....", "a b"])
def test_what_is_no_token_is_refused(token):
    assert SIGNER.read("click", token, now=NOW) is None


def test_a_token_made_with_an_older_key_stays_good_and_a_removed_key_does_not():
    old = OLD.make("unsubscribe", b"person")

    assert b"person" == SIGNER.read("unsubscribe", old, now=NOW)
    assert OLD.read("unsubscribe", SIGNER.make("unsubscribe", b"person"), now=NOW) is None


def test_a_token_ends_when_it_expires():
    token = SIGNER.make("confirm", b"x", expires_at=NOW + timedelta(days=14))

    assert b"x" == SIGNER.read("confirm", token, now=NOW + timedelta(days=14))
    assert SIGNER.read("confirm", token, now=NOW + timedelta(days=14, hours=2)) is None


def test_a_short_token_fits_into_a_link():
    assert 44 >= len(SIGNER.make("unsubscribe", new_id().bytes))


@pytest.fixture
def keys_dir(tmp_path):
    make_keys(tmp_path / "keys", ("gateway", "orders", "contacts"))
    return tmp_path / "keys"


def test_keys_are_made_once_and_only_their_owner_reads_them(keys_dir):
    before = (keys_dir / "orders.key").read_bytes()
    make_keys(keys_dir, ("gateway", "orders"))

    assert before == (keys_dir / "orders.key").read_bytes()
    assert 0o600 == (keys_dir / "orders.key").stat().st_mode & 0o777


def test_a_folder_without_keys_says_how_to_make_them(tmp_path):
    with pytest.raises(KeyMissing, match="kantis keys init"):
        Keys.load(tmp_path, "orders")


def test_an_event_is_genuine_only_from_its_producer(keys_dir):
    orders, contacts = Keys.load(keys_dir, "orders"), Keys.load(keys_dir, "contacts")
    event = Envelope(
        id=new_id(),
        type="orders.order.paid.v1",
        source="orders",
        occurred_at=NOW,
        recorded_at=NOW,
        correlation_id=new_id(),
        data=b"{}",
    )

    assert contacts.is_genuine(orders.sign(event))
    assert not contacts.is_genuine(contacts.sign(event))
    assert not contacts.is_genuine(orders.sign(event).model_copy(update={"data": b"[]"}))
    assert not contacts.is_genuine(orders.sign(event.model_copy(update={"source": "contacts"})))
    assert not contacts.is_genuine(event.model_copy(update={"signature": "not hex"}))


def test_a_token_is_good_for_one_service_and_a_short_time(keys_dir):
    clock = FrozenClock(NOW)
    token = issue_token(
        Keys.load(keys_dir, "gateway"),
        Principal("k1", "Key", frozenset({"orders:read"})),
        audience="orders",
        now=NOW,
    )
    public_keys = Keys.load(keys_dir, "orders")

    principal = TokenVerifier(public_keys, audience="orders", clock=clock).verify(token)
    assert ("k1", True, False) == (
        principal.id,
        principal.may("orders:read"),
        principal.may("orders:write"),
    )
    with pytest.raises(Unauthenticated):
        TokenVerifier(public_keys, audience="contacts", clock=clock).verify(token)
    clock.advance(timedelta(minutes=3))
    with pytest.raises(Unauthenticated):
        TokenVerifier(public_keys, audience="orders", clock=clock).verify(token)


def test_a_service_cannot_make_tokens_that_others_believe(keys_dir):
    token = issue_token(
        Keys.load(keys_dir, "orders"),
        Principal("root", "", frozenset({"*"})),
        audience="contacts",
        now=NOW,
    )

    with pytest.raises(Unauthenticated):
        TokenVerifier(
            Keys.load(keys_dir, "contacts"), audience="contacts", clock=FrozenClock(NOW)
        ).verify(token)


def test_the_published_key_is_ed25519(keys_dir):
    entry = jwk_of(Keys.load(keys_dir, "orders").public("gateway")[0])

    assert ("OKP", "Ed25519", "Ed25519") == (entry["kty"], entry["crv"], entry["alg"])


@given(st.sampled_from([needs("a:read"), needs("b:write", privileged=True), public("because")]))
def test_a_policy_survives_the_description(policy):
    assert policy == Policy.from_extra(policy.as_extra())


def test_writing_includes_reading_but_not_the_other_way():
    assert Principal("k", scopes=frozenset({"orders:write"})).may("orders:read")
    assert not Principal("k", scopes=frozenset({"orders:read"})).may("orders:write")
    assert not Principal("k", scopes=frozenset({"orders:write"})).may("contacts:read")
