"""No template reads configuration, runs without bound or reaches a Python object, and no field becomes a header."""

from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantis_contracts.campaign import Piece, ProductBlock
from kantis_contracts.values import Language
from kantis_kit.ids import new_id
from messaging_svc.addresses import wire_address
from messaging_svc.dispatch.mime import BadHeader, Letterhead, Marketing, build
from messaging_svc.templates.blocks import MAX_ITEMS, facts_of, shown
from messaging_svc.templates.compiling import LanguageSource, compile_language
from messaging_svc.templates.engine import MAX_OUTPUT_CHARS, Sandbox
from messaging_svc.templates.errors import CannotRender, Flaw
from messaging_svc.templates.imagined import sample_fields
from messaging_svc.templates.rendering import Compiled, Rendered

LOOP = "{% for product in products %}"


def _compiled(html, **changes):
    source = LanguageSource(subject="Hei", html=html, **changes)
    return Compiled({Language.NB: compile_language(source, Language.NB)})


def _fields(compiled, **changes):
    sample = sample_fields(compiled, Language.NB, preferred_name="Kari", offer_name="Lampe")
    return sample | changes


@pytest.mark.parametrize(
    "attack",
    [
        "{{ self.__class__ }}", "{{ x.__class__.__mro__ }}", "{{ x.__init__.__globals__ }}", "{{ x.upper() }}",
        "{{ x|attr('__class__') }}", "{% include 'other.txt' %}", "{% import 'os' as os %}", "{% extends 'x' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{% include 't.txt' %}", "{{ debug() }}", "{{ env }}",
        "{{ settings.smtp_password }}", "{{ range(9) }}", "{{ dict(a=1) }}", "{{ namespace() }}", "{{ lipsum() }}",
        "{% for a in y recursive %}{{ loop(y) }}{% endfor %}",
        "{% for a in y %}{% for b in y %}{% for c in y %}{% endfor %}{% endfor %}{% endfor %}",
    ],
)  # fmt: skip
def test_behind_the_list_of_what_is_allowed_the_engine_itself_gives_nothing_away(attack):
    sandbox = Sandbox({"t.txt": attack})

    with pytest.raises(CannotRender):
        sandbox.render("t.txt", {"x": "Kari", "y": list(range(5_000))})


@pytest.mark.parametrize(
    "attack",
    [
        LOOP, LOOP + "x" + LOOP + "y{% endfor %}{% endfor %}", "x{% endfor %}", "{{ product.name }}", "{{ products }}",
        LOOP + "{{ product.secret }}{% endfor %}", LOOP + "{{ product.name.upper() }}{% endfor %}",
        LOOP + "{{ product }}{% endfor %}", LOOP + "{{ loop.index }}{% endfor %}",
        "{% for product in products recursive %}{% endfor %}", "{% for x in products %}{% endfor %}",
        "{% for product in preferred_name %}{% endfor %}", "{% for product in products|sort %}{% endfor %}",
        LOOP + "{% endfor x %}", "{{ preferred_name.name }}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["html", "letter", "preheader"])
def test_a_loop_goes_through_the_lists_of_a_piece_and_nothing_else(attack, place):
    with pytest.raises(Flaw):
        _compiled(**({"html": "<p>x</p>", place: f"<p>{attack}</p>"}))


def test_blocks_show_what_a_piece_carries_and_nothing_when_it_carries_nothing():
    compiled = _compiled(
        "<table>{% if recommendations %}<tr><th>Til deg</th></tr>{% endif %}{% for product in recommendations %}"
        '<tr><td><a href="{{ product.url }}">{{ product.name }}</a> {{ product.price }}</td></tr>'
        "{% else %}<tr><td>Ingen</td></tr>{% endfor %}</table>"
    )
    piece = Piece(
        piece_id=new_id(),
        person_id=new_id(),
        response_code="C0DE0001",
        recommendations=(
            ProductBlock(name="<b>Lampe</b>", price_minor=49_900, url='https://x.example/?a="><b>'),
            ProductBlock(name="Pære", url="javascript:x()"),
        ),
    )
    lists = shown(facts_of(piece), Language.NB, response_url="https://r.example")
    nothing = shown({}, Language.NB, response_url="")

    full = compiled.render(Language.NB, _fields(compiled, **lists))
    empty = compiled.render(Language.NB, _fields(compiled, **nothing))

    assert "&lt;b&gt;Lampe" in full.html
    assert "499,00" in full.html
    assert "<b>" not in full.html
    assert 'href="https://r.example"' in full.html.replace("&#x2f;", "/")
    assert "<b>Lampe</b>: https://x.example" in full.text
    assert "javascript" not in full.html + full.text
    assert "Ingen" in empty.html
    assert "Til deg" not in empty.html


def test_a_piece_that_carries_too_much_shows_the_first_of_it():
    item = {"name": "x" * 9_000, "price_minor": 1, "currency": "NOK"}

    lists = shown({"products": [item] * 10_000}, Language.NB, response_url="")

    assert MAX_ITEMS == len(lists["products"])
    assert 500 == len(lists["products"][0]["name"])


def test_a_huge_output_is_refused():
    compiled = _compiled(LOOP + "x" * (MAX_OUTPUT_CHARS // 4) + "{% endfor %}")
    many = shown(
        {"products": [{"name": "x", "currency": "NOK"}] * MAX_ITEMS}, Language.NB, response_url=""
    )

    with pytest.raises(CannotRender, match="characters"):
        compiled.render(Language.NB, _fields(compiled, **many))


def test_a_preheader_is_text_in_front_of_the_mail_and_no_part_of_its_plain_text():
    compiled = _compiled(
        "<html><body class='a > b'><p>x</p></body></html>", preheader="<b> & {{ preferred_name }}"
    )

    page = compiled.render(Language.NB, _fields(compiled, preferred_name="<i>Kari"))

    assert "&lt;b&gt; &amp; &lt;i&gt;Kari" in page.html
    assert page.html.index("Kari") < page.html.index("<p")
    assert "Kari" not in page.text


# -- headers -----------------------------------------------------------------------------------------------------------


def _mail(
    *, subject="Hei", mail_from="Lys AS <post@lys.example>", to="kari@kunde.example", name="liste"
):
    return build(
        Letterhead(mail_from, "Lys AS"),
        to=to,
        message_id="<1@lys.example>",
        key="1",
        at=datetime(2026, 3, 1, tzinfo=UTC),
        content=Rendered(subject, "<p>x</p>", "x"),
        language="nb",
        marketing=Marketing("https://u.example/u/1", name),
    )


@pytest.mark.parametrize(
    ("mail_from", "name"),
    [
        ('"Lys, Lamper & \\"Mer\\" AS" <post@lys.example>', 'Lys, Lamper & "Mer" AS'),
        ("Blåbær og Sønn <post@lys.example>", "Blåbær og Sønn"),
        ("=?utf-8?b?AAAA?= <post@lys.example>", None),
        ("Ølbutikken «Æ» med et svært langt navn som ikke får plass på én linje <post@lys.example>", None),
    ],
)  # fmt: skip
def test_a_sender_with_quotes_commas_and_letters_of_ours_stays_one_sender(mail_from, name):
    mail = message_from_bytes(_mail(mail_from=mail_from), policy=policy.default)

    (sender,) = mail["From"].addresses
    assert "post@lys.example" == sender.addr_spec
    assert name in (None, sender.display_name)


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\x00", "\u2028", "\x85"])
@pytest.mark.parametrize("where", ["subject", "to", "name"])
def test_nothing_that_reaches_a_header_begins_another(sign, where):
    with pytest.raises(BadHeader):
        _mail(**{where: f"Kari{sign}Bcc: alle@annet.example"})


@given(st.text(max_size=80))
def test_whatever_a_subject_holds_it_is_read_back_or_refused(subject):
    try:
        raw = _mail(subject=subject)
    except BadHeader:
        return
    head = raw.split(b"\r\n\r\n", 1)[0]
    mail = message_from_bytes(raw, policy=policy.default)

    assert 1 == head.lower().count(b"\nsubject:")
    assert b"\nbcc:" not in head.lower()
    assert all(len(line) <= 998 and line.isascii() for line in head.split(b"\r\n"))
    assert "".join(subject.split()) == "".join(str(mail["Subject"]).split())


@pytest.mark.parametrize(
    ("address", "on_the_wire"),
    [
        ("kari@blåbær.example", "kari@xn--blbr-roah.example"),
        ("kåre@kunde.example", "kåre@kunde.example"),
        ('"kari nordmann"@kunde.example', None),
        ("kari@kunde.example\r\nRCPT TO:<alle@annet.example>", None),
        ("kari@kunde.example>", None),
        ("kari,ola@kunde.example", None),
        ("kari@[127.0.0.1]", None),
        ("kari..o@kunde.example", None),
        (f"{'k' * 65}@kunde.example", None),
    ],
)
def test_an_address_is_put_into_the_form_of_the_wire_or_refused(address, on_the_wire):
    assert on_the_wire == wire_address(address)
