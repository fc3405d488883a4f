"""What the gateway says to people, in the five languages of the house."""

from kantis_contracts.values import Language
from kantis_kit.web.languages import preferred_language

LANGUAGES = ("nb", "sv", "da", "fi", "en")
DEFAULT = "en"

TEXTS: dict[str, dict[str, str]] = {
    "nb": {
        "title": "Kantis",
        "lead": "Direkte markedsføring som aldri skriver to ganger til noen, og aldri mot deres vilje.",
        "console": "Konsollen, for de som arbeider her",
        "docs": "API-et, med eksempler å prøve",
        "mailbox": "Postkassen: det som ville ha blitt sendt",
        "reports": "Rapporter",
        "ready": "Tilstanden til tjenestene",
        "languages": "Språk",
        "taken_title": "Takk!",
        "taken": "Vi har tatt imot skjemaet ditt. Du trenger ikke å sende det igjen.",
    },
    "sv": {
        "title": "Kantis",
        "lead": "Direktmarknadsföring som aldrig skriver två gånger till någon, och aldrig mot deras vilja.",
        "console": "Konsolen, för dem som arbetar här",
        "docs": "API:et, med exempel att prova",
        "mailbox": "Brevlådan: det som skulle ha skickats",
        "reports": "Rapporter",
        "ready": "Tjänsternas tillstånd",
        "languages": "Språk",
        "taken_title": "Tack!",
        "taken": "Vi har tagit emot ditt formulär. Du behöver inte skicka det igen.",
    },
    "da": {
        "title": "Kantis",
        "lead": "Direkte markedsføring, der aldrig skriver to gange til nogen, og aldrig mod deres vilje.",
        "console": "Konsollen, for dem, der arbejder her",
        "docs": "API’et, med eksempler at prøve",
        "mailbox": "Postkassen: det, der ville være blevet sendt",
        "reports": "Rapporter",
        "ready": "Tjenesternes tilstand",
        "languages": "Sprog",
        "taken_title": "Tak!",
        "taken": "Vi har modtaget din formular. Du behøver ikke at sende den igen.",
    },
    "fi": {
        "title": "Kantis",
        "lead": "Suoramarkkinointia, joka ei koskaan kirjoita kenellekään kahdesti eikä vastoin tahtoa.",
        "console": "Konsoli täällä työskenteleville",
        "docs": "Rajapinta ja kokeiltavat esimerkit",
        "mailbox": "Postilaatikko: mitä olisi lähetetty",
        "reports": "Raportit",
        "ready": "Palvelujen tila",
        "languages": "Kieli",
        "taken_title": "Kiitos!",
        "taken": "Olemme vastaanottaneet lomakkeesi. Sitä ei tarvitse lähettää uudelleen.",
    },
    "en": {
        "title": "Kantis",
        "lead": "Direct marketing that never writes to anyone twice, and never against their wish.",
        "console": "The console, for those who work here",
        "docs": "The API, with examples to try",
        "mailbox": "The mailbox: what would have been sent",
        "reports": "Reports",
        "ready": "The state of the services",
        "languages": "Language",
        "taken_title": "Thank you!",
        "taken": "We have received your form. You need not send it again.",
    },
}
NAMES = {"nb": "Norsk", "sv": "Svenska", "da": "Dansk", "fi": "Suomi", "en": "English"}


def choose(accept_language: str, wanted: str = "") -> str:
    """Return the language to answer in: the one asked for, else the first accepted one that we speak."""
    if wanted in LANGUAGES:
        return wanted
    spoken = [Language(one) for one in LANGUAGES]
    return preferred_language(accept_language, spoken, Language(DEFAULT)).value
