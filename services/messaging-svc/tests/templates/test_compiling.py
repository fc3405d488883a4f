"""What a template may hold, and what becomes of it."""

from importlib.resources import files

import orjson
import pytest

from kantis_contracts.values import Language
from messaging_svc.templates.builtin import ANSWER, FACTS, PAPER, builtin
from messaging_svc.templates.compiling import LanguageSource, compile_language
from messaging_svc.templates.engine import FUEL, Sandbox
from messaging_svc.templates.errors import CannotRender, Flaw
from messaging_svc.templates.imagined import sample_fields
from messaging_svc.templates.rendering import Compiled
from messaging_svc.tracking.pages import catalogue


def _compile(html="<p>x</p>", subject="Hei", text=None):
    return compile_language(LanguageSource(subject=subject, html=html, text=text), Language.NB)


def _render(ready, **fields):
    compiled = Compiled({Language.NB: ready})
    sample = sample_fields(compiled, Language.NB, preferred_name="Kari", offer_name="Lampe")
    return compiled.render(Language.NB, sample | fields)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}", "{{ preferred_name|attr('__class__') }}", "{{ '%s'|format(preferred_name) }}",
        "{{ cycler('a') }}", "{{ lipsum(5) }}", "{{ self }}", "{{ debug() }}", "{{ env }}", "{{ config }}",
        "{{ range(1000000000) }}", "{{ 'a' * 100000000 }}", "{{ 'a' ~ 'b' }}", "{{ preferred_name.upper() }}",
        "{{ preferred_name[0] }}", "{% for i in range(10000) %}x{% endfor %}", "{% set a = 1 %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{% include 'body.html' %}", "{% extends 'x' %}",
        "{% import 'x' as y %}", "{% block a %}{% endblock %}", "{% raw %}{{ x }}{% endraw %}", "{{ offer_name", "{% if %}",
        "{{ preferred_name|safe }}", "{{ unknown_field }}", "{{}}", "{{ if }}", "{% if offer_name %}x",
        "&#123;&#123; preferred_name.x &#125;&#125;", "{{ [1,2,3] }}", "{{ {'a': 1} }}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["html", "subject", "text"])
def test_nothing_but_known_fields_and_conditions_is_accepted(attack, place):
    if place != "html" and attack.startswith("&#123;"):
        attack = "{{ preferred_name.x }}"

    with pytest.raises(Flaw):
        _compile(**{place: f"<p>{attack}</p>"})


def test_what_would_run_for_ever_is_stopped_by_its_fuel():
    endless = "{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}"

    with pytest.raises(CannotRender, match="fuel"):
        Sandbox({"t.txt": endless}).render("t.txt", {"x": list(range(FUEL))})


@pytest.mark.parametrize("sign", ["\r", "\n", "\x00", "\u2028", "\u2029", "\x85", "\x1b"])
def test_a_subject_stays_on_its_line(sign):
    with pytest.raises(Flaw, match="subject"):
        _compile(subject=f"Hei{sign}Bcc: alle@annet.example")

    ready = _compile(subject="{{ preferred_name }}")
    with pytest.raises(CannotRender, match="subject"):
        _render(ready, preferred_name=f"Kari{sign}Bcc: alle@annet.example")


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>", "<p onclick=x()>", '<a href="javascript:x()">x</a>', "<iframe src=x>", "<form>",
        '<a href="JaVaScRiPt&#58;x()">x</a>', "<object data=x>", '<link rel="stylesheet" href="https://x.example/a.css">',
    ],
)  # fmt: skip
def test_what_is_active_in_a_browser_is_refused(html):
    with pytest.raises(Flaw):
        _compile(html)


@pytest.mark.parametrize(
    "href",
    [
        "shop",
        "//evil.example",
        "ftp://x.example",
        "https://x.example/?who={{ preferred_name }}",
        "{{ offer_name }}",
        "",
    ],
)
def test_a_link_leads_to_a_fixed_place_or_to_one_of_our_own_addresses(href):
    with pytest.raises(Flaw, match="link"):
        _compile(f'<a href="{href}">x</a>')


def test_links_become_slots_in_both_parts_and_keep_their_targets():
    ready = _compile(
        "<p><a href=\"https://x.example/?a=1&amp;b=2\">x</a> <a href='{{ response_url }}'>y</a></p>"
    )

    assert [("fixed", "https://x.example/?a=1&b=2"), ("response", "")] == [
        (one.kind, one.target) for one in ready.links
    ]
    shown = _render(ready, link_0="http://kantis.test/c/0", link_1="http://kantis.test/c/1")
    for part in (shown.html, shown.text):
        assert "http://kantis.test/c/0" in part
        assert "http://kantis.test/c/1" in part
        assert "x.example" not in part


def test_a_way_to_unsubscribe_is_added_where_there_is_none_and_not_twice():
    assert 1 == _render(_compile("<p>x</p>"), unsubscribe_url="http://u.example").html.count(
        "http://u.example"
    )
    own = _compile('<p><a href="{{ unsubscribe_url }}">Av</a></p>')
    assert 1 == _render(own, unsubscribe_url="http://u.example").html.count("http://u.example")
    assert "Meld meg av" not in own.html
    written = _compile("<p>x</p>", text="Hei {{ preferred_name }}")
    assert "http://u.example" in _render(written, unsubscribe_url="http://u.example").text


def test_what_people_are_called_is_text_not_html():
    shown = _render(_compile("<p>{{ preferred_name }}</p>"), preferred_name="<b>Åse & Øystein</b>")

    assert "&lt;b&gt;Åse &amp; Øystein" in shown.html
    assert "<b>Åse & Øystein</b>" in shown.text


def test_conditions_survive_tables_and_styles_become_inline():
    ready = _compile(
        "<style>td{color:red}</style><table>{% if offer_name %}<tr><td>{{ offer_name }}</td></tr>{% endif %}</table>"
    )

    assert 'style="color: red;"' in ready.html
    assert "Lampe" in _render(ready).html
    assert "<td" not in _render(ready, offer_name="").html
    assert "Lampe" in _render(ready).text


def test_mjml_that_cannot_be_read_is_refused_with_its_reason():
    with pytest.raises(Flaw, match="MJML"):
        _compile("<mjml><mj-body><mj-nonsense></mj-body></mjml>")


def test_the_sample_campaign_compiles_in_every_language():
    sample = orjson.loads(
        (files("messaging_svc.templates") / "samples" / "spring.json").read_bytes()
    )

    assert set(Language) == {Language(name) for name in sample["languages"]}
    for name, one in sample["languages"].items():
        ready = compile_language(LanguageSource(**one), Language(name))
        compiled = Compiled({Language(name): ready})
        for offer in ("Lampe", ""):
            fields = sample_fields(compiled, Language(name), preferred_name="Åse", offer_name=offer)
            shown = compiled.render(Language(name), fields)
            assert ("Lampe" in shown.html) == ("Lampe" in shown.subject) == bool(offer)
        assert ["response"] == [link.kind for link in ready.links]
        assert f'<html lang="{name}"' in ready.html


def test_every_mail_that_advertises_offers_a_person_once():
    url = "http://c.example"
    added, own = _compile("<p>x</p>"), _compile('<p><a href="{{ contact_url }}">Spør</a></p>')
    written = compile_language(
        LanguageSource(subject="x", html="<p>x</p>", text="Hei"), Language.NB
    )

    for one in (added, own, written):
        shown = _render(one, contact_url=url)
        assert (1, 1) == (shown.html.count(url), shown.text.count(url))
        assert [] == one.links


@pytest.mark.parametrize("kind", list(FACTS))
@pytest.mark.parametrize("language", list(Language))
def test_every_message_of_our_own_exists_in_every_language_without_sales(kind, language):
    compiled = builtin(kind)
    fields = dict.fromkeys(FACTS[kind], "FACT") | {
        "greeting": "Hei",
        "preferred_name": "",
        "company": "Lys AS",
        "contact_url": "http://lys.example/chat?who=1",
    }

    shown = compiled.render(language, fields)

    assert language == compiled.language_for(language)
    assert len(FACTS[kind]) <= (shown.subject + shown.text).count("FACT")
    assert (
        (kind != ANSWER)
        == (fields["contact_url"] in shown.html)
        == (fields["contact_url"] in shown.text)
    )
    assert "unsubscribe" not in shown.html


@pytest.mark.parametrize("kind", sorted(PAPER))
@pytest.mark.parametrize("language", list(Language))
def test_what_asks_for_money_is_written_on_paper_too_with_every_fact(kind, language):
    compiled = builtin(kind)
    fields = {fact: f"FACT{n}" for n, fact in enumerate(FACTS[kind])}
    common = {"greeting": "Hei", "preferred_name": "", "company": "Lys AS", "contact_url": ""}

    shown = compiled.render_letter(language, fields | common)
    without = compiled.render_letter(language, fields | common | {"fee": "", "interest": ""})

    assert language == compiled.language_for(language, "letter")
    assert all(fact in str(shown.blocks) for fact in fields.values())
    assert fields["fee"] not in str(without.blocks)
    assert ["p", "p", "ul"] == [kind for kind, _ in shown.blocks[:3]]
    assert "Lys AS" in str(shown.blocks[-1])


def test_all_languages_have_all_words():
    own = orjson.loads((files("messaging_svc.templates") / "texts.json").read_bytes())

    for texts in (own, catalogue()):
        assert set(Language) == set(texts)
        assert 1 == len({frozenset(words) for words in texts.values()})


def test_facts_of_the_moment_are_told_by_their_names_and_unknown_ones_are_empty():
    source = LanguageSource(
        subject="Gate {{ fact.gate }}",
        html="<p>{{ greeting() }}, {{ fact.gate }}{% if fact.seat_2 %} {{ fact.seat_2 }}{% endif %}</p>",
        letter="Gate {{ fact.gate }}",
    )
    ready = compile_language(source, Language.NB)
    compiled = Compiled({Language.NB: ready})
    fields = sample_fields(compiled, Language.NB, preferred_name="Kari", offer_name="Lampe")

    told = compiled.render(Language.NB, fields | {"fact": {"gate": "<5>"}})

    assert (
        "[gate]" in compiled.render(Language.NB, fields).subject
    )  # a preview says what stands there
    assert ("Gate <5>", True) == (told.subject, "&lt;5&gt;</p>" in told.html)
    [(_, runs)] = compiled.render_letter(Language.NB, fields | {"fact": {"gate": "**1**"}}).blocks
    assert [("", "Gate **1**")] == runs  # what a fact holds is never read as markup


@pytest.mark.parametrize(
    "tag",
    [
        "{{ fact }}",
        "{{ fact.Gate }}",
        "{{ fact.a.b }}",
        "{{ facts.gate }}",
        '<a href="{{ fact.link }}">Her</a>',
    ],
)
def test_a_fact_that_nothing_can_be_called_is_refused(tag):
    with pytest.raises(Flaw):
        compile_language(LanguageSource(subject="Hei", html=f"<p>{tag}</p>"), Language.NB)
