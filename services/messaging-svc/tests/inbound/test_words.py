"""STOP in all Nordic spellings, with small talk around it; and what is not a STOP."""

import pytest

from messaging_svc.inbound.words import fold, meaning_of, words_of

STOPS = {
    "nb": (
        "STOPP", "stopp", "Stopp!", "stopp.", "STOP", "Stopp takk", "STOPP!!!!", "Stoppp", "s t o p p", "S.T.O.P",
        "ST0PP", "«Stopp»", "Hei, kan dere STOPPE dette takk", "Hei! Stopp å sende meg sms, takk", "Vær så snill og stopp",
        "Vennligst stopp disse meldingene", "avslutt", "Avslutt abonnementet", "AVMELD", "Meld meg av", "Avmelding",
        "Jeg ønsker å melde meg av", "slutt", "Slutt å sende meg reklame", "Slett meg fra listen", "Ikke send mer",
        "Jeg vil ikke ha flere meldinger", "stopp 😡", "Kan dere stoppe å sende reklame til meg?", "STOPP STOPP STOPP",
        "Hei\nStopp\nMvh", "\tstopp\r\n", "Stopp nå!", "ikke send meg flere sms", "Stopp alt",
    ),
    "nn": (
        "Stopp takk", "Kan de stoppe dette?", "Eg vil ikkje ha fleire meldingar", "Ikkje send meir", "Meld meg av, takk",
        "Ver så snill og stopp desse meldingane",
    ),
    "sv": (
        "STOPP", "Stoppa", "Stoppa utskicken tack", "Avsluta", "avsluta prenumerationen", "Avregistrera mig", "AVANMÄL",
        "avanmal", "Säg upp", "Hej, kan ni sluta skicka reklam till mig", "Ta bort mig från listan", "Inga fler sms tack",
        "Jag vill inte ha era sms", "Var snälla och stoppa detta nu", "Avprenumerera tack",
    ),
    "da": (
        "STOP", "Stop venligst", "AFMELD", "afmeld mig", "Afmeld nyhedsbrev tak", "Frameld", "Meld mig fra",
        "Slet mig", "Kan I stoppe det her?", "Jeg vil ikke have flere beskeder", "Hej, stop med at sende reklamer",
        "Send ikke flere",
    ),
    "fi": (
        "LOPETA", "Lopeta!", "lopettakaa", "Lopettakaa viestien lähettäminen kiitos", "STOP kiitos", "Peru", "PERUUTA",
        "Peru tilaus", "Poistakaa minut", "En halua näitä viestejä", "Ei enää viestejä kiitos", "Älkää lähettäkö enää mainoksia",
        "kiellän markkinoinnin", "Hei, voisitteko lopettaa? LOPETA", "Älä lähetä enää", "seis",
    ),
    "en": (
        "stop", "Stop please", "STOPALL", "Unsubscribe", "unsubscribe me", "Please stop texting me", "opt out", "OPT-OUT",
        "opt-out please", "Cancel", "end", "Quit", "Remove me from your list", "Don't send any more", "Hi, can you please stop these messages",
    ),
}  # fmt: skip
OTHERS = (
    "", "Hei", "Takk!", "Ikke stopp!", "Ikke stopp med dette", "don't stop", "Sluta inte skicka", "Når stopper bussen?",
    "Hvilket busstopp er nærmest butikken?", "Stopp en halv, jeg vil bestille to lamper", "Jag vill avsluta mitt köp",
    "Peru on kaunis maa", "The end of the street", "Weekend", "Kan dere stoppe innom i morgen?", "ja", "nei", "JA TAKK",
    "Jeg vil ha to lamper", "Vil gjerne høre mer om stoppeklokken", "Lamp 2 stk", "Er butikken åpen?", "a b",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "language"), [(text, name) for name, texts in STOPS.items() for text in texts]
)
def test_a_stop_is_known_in_every_language_and_spelling(text, language):
    assert "stop" == meaning_of(text, language=language).kind
    assert "stop" == meaning_of(text).kind


@pytest.mark.parametrize("text", OTHERS)
def test_what_says_something_else_is_no_stop(text):
    assert "stop" != meaning_of(text).kind


@pytest.mark.parametrize(
    "text", ["Stopp en halv, jeg vil bestille to lamper", "Ikke stopp!", "Kan dere stoppe innom i morgen?"]
)  # fmt: skip
def test_a_stop_word_among_others_goes_to_a_person_with_a_note(text):
    assert "unclear" == meaning_of(text).kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("START", "start"), ("Start takk", "start"), ("Meld meg på", "start"), ("aloita", "start"),
        ("tilmeld mig", "start"), ("subscribe", "start"), ("Hjelp", "help"), ("hjälp!", "help"), ("HJÆLP", "help"),
        ("Apua", "help"), ("info", "help"), ("?", "help"), ("start stopp", "unclear"), ("Når starter salget?", ""),
        ("Jeg trenger hjelp med lampen som ble knust i posten", ""),
    ],
)  # fmt: skip
def test_start_and_help_are_known_where_nothing_else_is_said(text, kind):
    assert kind == meaning_of(text).kind


def test_the_language_is_that_of_the_words_and_else_that_of_the_person():
    assert "fi" == meaning_of("LOPETA kiitos").language
    assert "sv" == meaning_of("Hej, stopp tack", language="nb").language
    assert ["da", "fi", "en"] == [meaning_of("STOP", language=one).language for one in ("da", "fi", "en")]  # fmt: skip


def test_words_are_compared_without_marks_doubles_and_tricks():
    assert "stop" == fold("STØPP") == fold("ST0PP") == fold("stoppp")
    assert ("stop", "nu") == words_of("S-T-O-P nu!")
    assert ("2",) == words_of(" 2 ")
    assert ("ja", "2", "10") == words_of("Ja 2 10")


def test_a_long_text_is_read_in_bounded_time_and_says_nothing():
    assert "" == meaning_of("a " * 100_000).kind
    assert "" == meaning_of("ha" * 100_000).kind
