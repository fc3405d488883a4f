"""The fast path and the general one make mails of the same decoded content, whatever people are called."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kantis_contracts.values import Language
from messaging_svc.dispatch.mime import BadHeader, Letterhead, Marketing, build
from messaging_svc.dispatch.segments import compile_mail
from messaging_svc.links import TrackingTokens
from messaging_svc.templates.compiling import LanguageSource, LanguageTemplate, compile_language
from messaging_svc.templates.errors import CannotRender
from messaging_svc.templates.rendering import Compiled
from messaging_svc.wire.quoted import is_token

HEAD = Letterhead("Lys & Lampe «AS» <post@lys.example>", "Lys & Lampe")
AT = datetime(2026, 3, 2, 9, 30, 15, 250_000, tzinfo=UTC)
PERSONAL = (
    "preferred_name",
    "greeting",
    "response_url",
    "unsubscribe_url",
    "contact_url",
    "open_url",
    "link_0",
)
SHARED = ("company", "offer_name", "offer_price")

letters = st.text(
    st.one_of(
        st.characters(blacklist_categories=("Cs",)), st.sampled_from(list(".\r\n =<>&\"'/\t-_é"))
    ),
    max_size=200,
)
plain = letters.map(lambda text: text.replace("{", "(").replace("}", ")"))
tags = st.sampled_from(
    [
        *(f"{{{{ {name} }}}}" for name in (*PERSONAL, *SHARED)),
        *(f"{{{{ {name}|safe }}}}" for name in PERSONAL),
        "{% if offer_name %}{{ offer_name|upper }}: {{ preferred_name }}{% else %}.{% endif %}",
        "{{ offer_price|default('-') }}",
        "\n.{{ preferred_name }}\n.\n",
    ]
)
templates = st.lists(st.one_of(plain, tags), max_size=12).map("".join)
subjects = st.lists(
    st.one_of(
        st.text(st.characters(min_codepoint=32, max_codepoint=126, blacklist_characters="{}")),
        tags.filter(lambda t: "\n" not in t),
    ),
    max_size=4,
).map(lambda parts: "Hei " + "".join(parts))
HEADS = {"open_url": "https://lys.example/o/", "link_0": "https://lys.example/c/?a=1&b="}
tokens = st.from_regex(r"[A-Za-z0-9_-]{1,73}", fullmatch=True)
values = st.fixed_dictionaries(
    dict.fromkeys((*PERSONAL, *SHARED), letters) | dict.fromkeys(HEADS, tokens)
)
addresses = st.sampled_from(
    [
        "kari@kunde.example",
        "o'hara@kunde.example",
        "åse@xn--bl-wia.example",
        "a@b.example\r\nBcc: x@y.example",
    ]
)


def _decoded(raw):
    mail = message_from_bytes(raw, policy=policy.default)
    return {
        "headers": sorted((name, str(value)) for name, value in mail.items()),
        **{kind: _lines(mail.get_body((kind,)).get_content()) for kind in ("plain", "html")},
    }


def _lines(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _outcome(write):
    try:
        raw = write()
    except (CannotRender, BadHeader):
        return "refused"
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n")), "a line begins with a dot"
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b""), "a bare line feed"
    assert b"\r" not in raw.replace(b"\r\n", b""), "a bare carriage return"
    return _decoded(raw)


def _both(template, fields, to):
    heads = {name: head for name, head in HEADS.items() if is_token(fields[name])}
    whole = fields | {name: head + fields[name] for name, head in heads.items()}
    compiled = Compiled({Language.NB: template})
    shared = {name: fields[name] for name in SHARED}
    mail = compile_mail(
        HEAD,
        compiled,
        Language.NB,
        personal=fields.keys(),
        heads=heads,
        shared=shared,
        list_name="offers",
    )
    if mail is None:
        return None, None
    known = {"to": to, "message_id": "<1@lys.example>", "key": "k", "at": AT}
    fast = _outcome(lambda: mail.write(fields, **known, unsubscribe_url="https://lys.example/u/1"))
    marketing = Marketing("https://lys.example/u/1", "offers")
    general = _outcome(
        lambda: build(
            HEAD,
            **known,
            content=compiled.render(Language.NB, whole),
            language="nb",
            marketing=marketing,
        )
    )
    return fast, general


@settings(max_examples=60, deadline=None)
@given(subject=subjects, html=templates, text=templates, fields=values, to=addresses)
@example(
    "Hei {{ preferred_name }}",
    ".{{ preferred_name }}.",
    "{{ greeting }}",
    dict.fromkeys((*PERSONAL, *SHARED), "."),
    "a@b.example",
)
@example(
    "Hei {{ preferred_name }}",
    "x",
    "y",
    dict.fromkeys((*PERSONAL, *SHARED), "Kari\r\nBcc: x"),
    "a@b.example",
)
@example(
    "Hei",
    "{{ link_0|safe }}",
    "é" * 100,
    dict.fromkeys((*PERSONAL, *SHARED), "x" * 5_000 + " "),
    "a@b.example",
)
def test_both_paths_make_mails_of_the_same_content(subject, html, text, fields, to):
    fast, general = _both(
        LanguageTemplate(subject=subject, html=html, text=text, links=[]), fields, to
    )

    assert general == fast


@pytest.mark.parametrize(
    "html",
    [
        "{% if preferred_name %}Hei{% endif %}", "{{ preferred_name|upper }}", "{{- greeting -}}",
        "{% if offer_name == preferred_name %}x{% endif %}", "{{ preferred_name|default(offer_name) }}",
    ],
)  # fmt: skip
def test_what_depends_on_the_person_is_left_to_the_engine(html):
    template = LanguageTemplate(subject="Hei", html=html, text="t", links=[])
    shared = dict.fromkeys(SHARED, "x")

    assert None is compile_mail(
        HEAD,
        Compiled({Language.NB: template}),
        Language.NB,
        personal=PERSONAL,
        heads={},
        shared=shared,
        list_name="x",
    )


def test_a_whole_template_of_ours_takes_the_fast_path():
    source = LanguageSource(
        subject="{{ greeting() }}{% if offer_name %}: {{ offer_name }}{% endif %}",
        html="<mjml><mj-body><mj-section><mj-column><mj-text>{{ greeting() }},</mj-text><mj-button "
        'href="{{ response_url }}">Svar</mj-button></mj-column></mj-section></mj-body></mjml>',
    )
    fields = dict.fromkeys((*PERSONAL, *SHARED, "preferences_url"), "https://lys.example/æ?a=1&b=2")

    fast, general = _both(compile_language(source, Language.NB), fields, "kari@kunde.example")

    assert fast is not None
    assert general == fast


def test_the_tokens_of_all_links_are_those_of_each():
    tokens = TrackingTokens.from_text("7:" + "5a" * 32)
    message = UUID(int=2**100 + 12345)

    assert [tokens.make("c", message, n) for n in range(250)] == tokens.clicks(message, 250)
