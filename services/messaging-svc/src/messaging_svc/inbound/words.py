"""What people write to a number of ours: STOP in all its spellings, with small talk around it; start and help.

Words are compared without marks over letters and without doubled letters, so that STOPP, Stopp!!, "s t o p" and ST0P are
one word. Only what is beyond doubt is acted on: a stop word among other words that say something goes to a person.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LANGUAGES = ("nb", "nn", "sv", "da", "fi", "en")

_STOP: Mapping[str, tuple[str, ...]] = {
    "nb": (
        "stopp", "stopp alt", "stopp nå", "stoppe", "stoppes", "avslutt", "avslutte", "avmeld", "avmelde", "avmelding",
        "meld av", "melde av", "meld meg av", "melde meg av", "meldt av", "slutt", "slutt å sende", "slutte å sende",
        "slett meg", "fjern meg", "ikke send", "ikke send mer", "ingen flere", "vil ikke ha", "reserver meg",
    ),
    "nn": (
        "stopp", "stoppe", "avslutt", "avslutte", "avmeld", "meld meg av", "melde meg av", "slutt", "slutt å sende",
        "slett meg", "fjern meg", "ikkje send", "ikkje send meir", "ingen fleire", "vil ikkje ha",
    ),
    "sv": (
        "stopp", "stoppa", "stop", "avsluta", "avslut", "avanmäl", "avanmäla", "avregistrera", "avprenumerera",
        "säg upp", "säga upp", "sluta", "sluta skicka", "ta bort mig", "inga fler", "vill inte ha", "skicka inte",
        "avbeställ",
    ),
    "da": (
        "stop", "stoppe", "stoppes", "afmeld", "afmelde", "afmeldes", "afmelding", "afslut", "afslutte", "frameld",
        "framelde", "framelding", "meld mig fra", "melde mig fra", "slet mig", "fjern mig", "ikke flere",
        "vil ikke have", "send ikke",
    ),
    "fi": (
        "stop", "stoppi", "seis", "lopeta", "lopetan", "lopettaa", "lopettakaa", "lopetus", "peru", "perun", "peruuta", "peruutus",
        "perukaa", "poista", "poistakaa", "poista minut", "poistakaa minut", "kiellä", "kiellän", "kielto",
        "en halua", "ei enää", "älä lähetä", "älkää lähettäkö",
    ),
    "en": (
        "stop", "stop all", "stopall", "stop it", "stop now", "unsubscribe", "unsub", "cancel", "end", "quit",
        "opt out", "optout", "remove me", "do not send", "dont send", "no more", "arret",
    ),
}  # fmt: skip
_START: Mapping[str, tuple[str, ...]] = {
    "nb": ("start", "starte", "meld på", "meld meg på", "påmelding", "ja start"),
    "nn": ("start", "starte", "meld meg på", "påmelding"),
    "sv": ("start", "starta", "anmäl", "anmäl mig", "ja start"),
    "da": ("start", "starte", "tilmeld", "tilmeld mig", "ja start"),
    "fi": ("aloita", "start", "tilaa", "liity", "kyllä aloita"),
    "en": ("start", "unstop", "subscribe", "opt in", "yes start"),
}
_HELP: Mapping[str, tuple[str, ...]] = {
    "nb": ("hjelp", "info", "hjelpe"),
    "nn": ("hjelp", "info"),
    "sv": ("hjälp", "info"),
    "da": ("hjælp", "info"),
    "fi": ("apua", "apu", "ohje", "info"),
    "en": ("help", "info"),
}
_SMALL_TALK: Mapping[str, str] = {
    "nb": """hei hallo heisann god dag morgen kveld takk tusen mange vennligst vær så snill snille please pls kan kunne
        kunde vil ville skal må dere du de deg dem jeg meg vi oss dette det disse denne den her der nå straks med en gang
        umiddelbart å og at i på til fra av om for som er ha få får fått motta mottar sende sender send mer flere noe noen
        alle alt sms smser sms'er sms'ene melding meldinger meldingen meldingene tekstmelding tekstmeldinger tekstmeldingene
        reklame reklamen reklamer tilbud tilbudene varsler nyhetsbrev nyhetsbrevet abonnement abonnementet mobil mobilen
        nummer nummeret telefon telefonen mitt min mine ikke lenger mvh hilsen ønsker ønske ja ok greit bare helst vil ha
        har fortsatt lista listen liste""",
    "nn": """hei hallo takk tusen ver så snill venleg venlegst kan kunne vil skal må de dykk du deg dei eg meg vi oss
        dette det desse no straks med ein gong å og at i på til frå av om for som er ha få får fått ta imot sende sender
        send meir fleire noko nokon alle alt sms melding meldingar meldingane tekstmelding tekstmeldingar reklame reklamen
        tilbod nyheitsbrev abonnement mobil nummer mitt min mine ikkje lenger helsing ynskjer ønskjer ja berre""",
    "sv": """hej hejsan hallå god dag tack tusen snälla vänligen var god kan kunde vill skulle ska måste ni er du dig de
        dem jag mig vi oss detta det dessa denna den här där nu genast med en gång omedelbart att och i på till från av om
        för som är ha få får fått ta emot skicka skickar sända mer flera fler något några alla allt sms smsen sms:en
        meddelande meddelanden meddelandena textmeddelande reklam reklamen erbjudande erbjudanden nyhetsbrev nyhetsbrevet
        prenumeration prenumerationen era ert er mobil nummer numret mitt min mina inte längre mvh hälsningar önskar ja ok bara
        listan utskick utskicken""",
    "da": """hej hallo goddag tak tusind mange venligst vær så venlig kan kunne vil ville skal må i jer du dig de dem jeg
        mig vi os dette det disse denne den her der nu straks med det samme at og på til fra af om for som er have få får
        fået modtage modtager sende sender send mere flere noget nogen alle alt sms smser sms'er besked beskeder beskederne
        reklame reklamer tilbud tilbuddene nyhedsbrev nyhedsbrevet abonnement mobil nummer mit min mine ikke længere mvh
        hilsen ønsker ønske ja ok bare listen""",
    "fi": """hei moi terve päivää kiitos kiitoksia paljon ole hyvä olkaa hyvät voisitteko voitteko voitko voisitko
        haluan haluaisin minä mä minulle mulle minut te teidän sinä tämä tämän nämä näitä tätä nyt heti jo enää viestit
        viestejä viesti viestin viestien tekstiviestit tekstiviestejä tekstiviesti mainokset mainoksia mainos mainonta
        mainonnan markkinointi markkinoinnin markkinointia tarjoukset tarjouksia uutiskirje uutiskirjeen tilaus tilauksen
        lähettäminen lähettämisen lähettämästä lähettää saada ottaa vastaan ja että numeroon numerosta tähän näiden
        kaikki kaiken terveisin kyllä lisää sms tekstarit tekstareita""",
    "en": """hi hello hey dear thanks thank you very much please pls kindly can could would will you i me my we us want
        wish like to the this that these those now immediately at once and from of for with it is be get getting receive
        receiving sending send sent any more all sms texts text texting messages message marketing ads advertising offers
        newsletter subscription your yours phone number mobile not no longer yes ok just off list""",
}  # fmt: skip
_EVERYDAY = frozenset({"slutt", "end", "cancel", "quit", "peru", "poista", "sluta", "avslut", "ei enää", "info", "ingen flere", "inga fler", "no more", "ikke flere", "ingen fleire", "vil ikke ha", "vil ikkje ha", "vill inte ha", "vil ikke have", "en halua"})  # fmt: skip
"""Stop words that are said of much else: few words may stand beside them."""
_FEW = 4
_LONGEST = 1_600
_MARKS = str.maketrans({"ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "þ": "th", "ð": "d"})
_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"(.)\1+")


def fold(word: str) -> str:
    """Return the form in which words are compared."""
    lower = word.casefold().translate(_MARKS)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(sign))  # fmt: skip
    if not bare.isdigit():
        bare = bare.replace("0", "o")
    return _RUN.sub(r"\1", bare) if bare.isalpha() else bare


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text, folded; letters that stand alone in a row are one word."""
    found = [fold(one) for one in _WORD.findall(text[:_LONGEST].replace("'", "").replace("’", ""))]
    joined: list[str] = []
    row: list[str] = []
    for one in [*found, ""]:
        if len(one) == 1 and one.isalpha():
            row.append(one)
            continue
        joined += [fold("".join(row))] if len(row) > 2 else row  # noqa: PLR2004 - "a b" are two words, "s t o p" is one
        row = []
        if one:
            joined.append(one)
    return tuple(joined)


def _phrases(table: Mapping[str, Iterable[str]]) -> dict[str, list[tuple[str, ...]]]:
    """Return the phrases of each language, the longest first."""
    return {
        language: sorted({words_of(one) for one in phrases}, key=len, reverse=True)
        for language, phrases in table.items()
    }


_TABLES = {"stop": _phrases(_STOP), "start": _phrases(_START), "help": _phrases(_HELP)}
_TALK = {language: frozenset(words_of(words)) for language, words in _SMALL_TALK.items()}
_ALL_TALK = frozenset().union(*_TALK.values())
_WEAK = frozenset(words_of(one) for one in _EVERYDAY)
_NOT = frozenset(words_of("ikke ikkje inte ej aldri aldrig älä älkää dont not never nej nei"))
_STOP_WORDS = frozenset(
    word for phrases in _TABLES["stop"].values() for phrase in phrases for word in phrase
)
"""Whoever says it twice means it."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text means: `stop`, `start`, `help`, `unclear` (a stop word among others), or nothing of these."""

    kind: str = ""
    language: str = ""


def meaning_of(text: str, *, language: str = "") -> Meaning:
    """Return what a text means; `language` is the writer's, as far as it is known."""
    words = words_of(text)
    if text.strip() == "?":
        return Meaning("help", language)
    unclear = Meaning()
    for kind in ("stop", "start", "help"):
        for tongue in _order(words, language):
            found = _find(words, _TABLES[kind][tongue])
            if found is None:
                continue
            at, phrase = found
            rest = [*words[:at], *words[at + len(phrase) :]]
            beside = {*words[max(at - 1, 0) : at], *words[at + len(phrase) : at + len(phrase) + 1]}
            if not beside & _NOT and _is_certain(kind, phrase, rest):
                return Meaning(kind, tongue)
            if kind == "stop":
                unclear = Meaning("unclear", tongue)
    return unclear


def _is_certain(kind: str, phrase: tuple[str, ...], rest: Sequence[str]) -> bool:
    known = _ALL_TALK | _STOP_WORDS if kind == "stop" else _ALL_TALK
    if any(one not in known for one in rest):
        return False
    most = _FEW if kind != "stop" or phrase in _WEAK else len(rest)
    return len(rest) <= most


def _order(words: Sequence[str], language: str) -> list[str]:
    """Return the languages, those first whose small talk a text has; the writer's own where it decides nothing."""
    return sorted(
        LANGUAGES,
        key=lambda one: (-sum(word in _TALK[one] for word in words), one != language),
    )


def _find(
    words: Sequence[str], phrases: Iterable[tuple[str, ...]]
) -> tuple[int, tuple[str, ...]] | None:
    for phrase in phrases:
        for at in range(len(words) - len(phrase) + 1):
            if tuple(words[at : at + len(phrase)]) == phrase:
                return at, phrase
    return None


def is_small_talk(words: Iterable[str]) -> bool:
    """Say whether words add nothing."""
    return all(one in _ALL_TALK for one in words)


def is_reserved(word: tuple[str, ...]) -> bool:
    """Say whether words mean stop or start whatever else is agreed on."""
    return any(word in phrases for kind in ("stop", "start") for phrases in _TABLES[kind].values())
