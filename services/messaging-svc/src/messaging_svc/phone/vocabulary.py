"""How calls end: the words, and what follows from each. A company adds words of its own; these cannot be changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kantis_contracts.values import Language


class Effect(StrEnum):
    """What follows from the end of a call."""

    ANSWERED = "answered"
    """The person was reached: this was the last call."""
    CALL_BACK = "call_back"
    """The person has named a time."""
    AGAIN = "again"
    """Nobody was reached; after a wait somebody tries again, until it has been tried often enough."""
    STOP = "stop"
    """The person wants no calls: in force before the caller is answered."""
    WRONG_NUMBER = "wrong_number"
    """The number is somebody else's, or nobody's."""
    GONE = "gone"
    """The person is not to be reached here any more."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word for how a call ended."""

    code: str
    effect: Effect
    words: Mapping[str, str]
    wait_minutes: int = 0
    """Before somebody tries again."""
    is_own: bool = False


def _word(code: str, effect: Effect, *words: str, wait_minutes: int = 0) -> Word:
    """Make a word of ours; its texts stand in the order nb, sv, da, fi, en."""
    languages = (Language.NB, Language.SV, Language.DA, Language.FI, Language.EN)
    named = {one.value: said for one, said in zip(languages, words, strict=True)}
    return Word(code, effect, named, wait_minutes)


_WORDS = (
    _word("reached_yes", Effect.ANSWERED, "Sa ja", "Sa ja", "Sagde ja", "Sanoi kyllä", "Said yes"),
    _word("reached_no", Effect.ANSWERED, "Sa nei", "Sa nej", "Sagde nej", "Sanoi ei", "Said no"),
    _word(
        "reached_undecided", Effect.ANSWERED,
        "Vil tenke på det", "Vill tänka på det", "Vil tænke over det", "Haluaa harkita", "Wants to think about it",
    ),
    _word(
        "call_back", Effect.CALL_BACK,
        "Ring igjen", "Ring igen", "Ring igen", "Soitetaan uudelleen", "Call back",
    ),
    _word(
        "no_answer", Effect.AGAIN,
        "Svarte ikke", "Svarade inte", "Svarede ikke", "Ei vastannut", "No answer", wait_minutes=240,
    ),
    _word("busy", Effect.AGAIN, "Opptatt", "Upptaget", "Optaget", "Varattu", "Busy", wait_minutes=30),
    _word(
        "voicemail", Effect.AGAIN,
        "Telefonsvarer", "Telefonsvarare", "Telefonsvarer", "Vastaaja", "Voicemail", wait_minutes=1_440,
    ),
    _word(
        "wrong_number", Effect.WRONG_NUMBER,
        "Feil nummer", "Fel nummer", "Forkert nummer", "Väärä numero", "Wrong number",
    ),
    _word(
        "out_of_service", Effect.WRONG_NUMBER,
        "Nummeret er ikke i bruk", "Numret används inte", "Nummeret er ikke i brug", "Numero ei ole käytössä",
        "Number not in service",
    ),
    _word(
        "do_not_call", Effect.STOP,
        "Vil ikke bli oppringt", "Vill inte bli uppringd", "Vil ikke ringes op", "Ei halua puheluita", "Do not call",
    ),
    _word(
        "gone", Effect.GONE,
        "Er der ikke lenger", "Är inte kvar", "Er der ikke længere", "Ei ole enää tavoitettavissa", "No longer there",
    ),
)  # fmt: skip

BUILTIN: Mapping[str, Word] = {one.code: one for one in _WORDS}
