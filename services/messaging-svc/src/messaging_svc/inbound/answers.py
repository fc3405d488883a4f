"""What is answered by itself, in every language."""

from collections.abc import Mapping

from kantis_contracts.values import Language

_TEXTS: Mapping[str, Mapping[Language, str]] = {
    "stop": {
        Language.NB: "{company}: Du får ikke flere reklamemeldinger fra oss på dette nummeret.",
        Language.SV: "{company}: Du får inga fler reklammeddelanden från oss på det här numret.",
        Language.DA: "{company}: Du får ikke flere reklamebeskeder fra os på dette nummer.",
        Language.FI: "{company}: Emme lähetä enää mainosviestejä tähän numeroon.",
        Language.EN: "{company}: You will get no more advertising messages from us on this number.",
    },
    "help": {
        Language.NB: "{company}: Svar STOPP for å slippe reklame. Skriv til oss her, så svarer en person.",
        Language.SV: "{company}: Svara STOPP för att slippa reklam. Skriv till oss här, så svarar en person.",
        Language.DA: "{company}: Svar STOP for at slippe for reklame. Skriv til os her, så svarer en person.",
        Language.FI: "{company}: Vastaa LOPETA, jos et halua mainoksia. Kirjoita meille, niin ihminen vastaa.",
        Language.EN: "{company}: Answer STOP for no more advertising. Write to us here, and a person will answer.",
    },
    "start": {
        Language.NB: "{company}: Her sier du ja til det du vil ha: {link}",
        Language.SV: "{company}: Här säger du ja till det du vill ha: {link}",
        Language.DA: "{company}: Her siger du ja til det, du vil have: {link}",
        Language.FI: "{company}: Täällä annat luvan sille, mitä haluat: {link}",
        Language.EN: "{company}: Say yes here to what you want: {link}",
    },
    "vote": {
        Language.NB: "{company}: Takk, stemmen din er talt: {option}.",
        Language.SV: "{company}: Tack, din röst är räknad: {option}.",
        Language.DA: "{company}: Tak, din stemme er talt: {option}.",
        Language.FI: "{company}: Kiitos, äänesi on laskettu: {option}.",
        Language.EN: "{company}: Thank you, your vote is counted: {option}.",
    },
}


def language_for(tongue: str, known: str) -> Language:
    """Return in which language somebody is answered: as they wrote, else as we know them."""
    for one in ("nb" if tongue == "nn" else tongue, known):
        if one in Language.__members__.values():
            return Language(one)
    return Language.EN


def answer(kind: str, language: Language, **words: str) -> str:
    """Return an answer, or nothing where none is given."""
    text = _TEXTS.get(kind, {}).get(language, "")
    return text.format(**words) if text else ""
