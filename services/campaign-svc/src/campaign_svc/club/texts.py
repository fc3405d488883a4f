"""How a member's points stand, in a sentence, per language."""

from kantis_contracts.values import Language

_HAS = {
    "nb": "Saldoen er {points} poeng.",
    "sv": "Saldot är {points} poäng.",
    "da": "Saldoen er {points} point.",
    "fi": "Saldo on {points} pistettä.",
    "en": "The balance is {points} points.",
}
_OWES = {
    "nb": "Saldoen er minus {points} poeng: varer kom i retur etter at poengene var brukt. Nye poeng dekker dette først.",
    "sv": "Saldot är minus {points} poäng: varor kom i retur efter att poängen hade använts. Nya poäng täcker det först.",
    "da": "Saldoen er minus {points} point: varer kom retur, efter at pointene var brugt. Nye point dækker det først.",
    "fi": "Saldo on miinus {points} pistettä: tuotteita palautettiin pisteiden käytön jälkeen. Uudet pisteet kattavat tämän ensin.",
    "en": "The balance is minus {points} points: goods came back after their points had been spent. New points fill this first.",
}


def standing(balance: int, language: Language) -> str:
    """Return how the points stand."""
    texts = _OWES if balance < 0 else _HAS
    return texts[language.value].format(points=abs(balance))
