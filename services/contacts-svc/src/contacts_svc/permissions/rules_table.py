"""Who may be contacted how, as one table of dated rules: country, kind of recipient, channel, message class, relation.

Every combination has exactly one row at a time; a change of the law closes a row (`valid_to`) and adds another.
What a row asks for is `Need`; the facts of a person decide whether it is met (`decide`).

Read in November 2026 against the pages that the rows name. A day is the one on which the law that a row names came into
force; rules of the same content that stood before it are not in the table, so that the answer for those days is no.
Rows that say `our rule` are stricter than the law, or stand where the law was not read to the letter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from kantis_contracts.values import Channel, MessageClass, Purpose, RecipientKind, Relation

ELSEWHERE = "*"
"""Every country that has no rows of its own."""
COUNTRIES = ("NO", "SE", "DK", "FI", "IS", ELSEWHERE)


class Need(StrEnum):
    """What must hold before a message may go out."""

    NOTHING = "nothing"
    """It goes out: it belongs to the contract or to the duties of the sender."""
    NO_REFUSAL = "no_refusal"
    """It goes out until the recipient refuses."""
    WASHED = "washed"
    """As `no_refusal`, and the reservation register was asked recently and does not name the recipient."""
    SOFT = "soft_opt_in"
    """A consent, or an address that was obtained with a sale, for own and similar goods."""
    CONSENT = "consent"
    """A consent that can be proved."""
    NEVER = "never"
    """It does not go out, whatever the recipient has said."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `source` says where the rule comes from; `our rule` is a decision of this house, stricter than the law."""

    id: str
    countries: frozenset[str]
    recipients: frozenset[RecipientKind]
    channels: frozenset[Channel]
    classes: frozenset[MessageClass]
    relations: frozenset[Relation]
    need: Need
    source: str
    valid_from: date
    valid_to: date | None = None

    def is_valid(self, on: date) -> bool:
        """Say whether the row is in force on a day; the day of `valid_to` is the first on which it is not."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


_PERSON = frozenset({RecipientKind.PERSON})
_TRADER = frozenset({RecipientKind.SOLE_TRADER})
_NATURAL = frozenset({RecipientKind.PERSON, RecipientKind.SOLE_TRADER})
_BUSINESS = frozenset({RecipientKind.SOLE_TRADER, RecipientKind.COMPANY})
_COMPANY = frozenset({RecipientKind.COMPANY})
_ANYBODY = frozenset(RecipientKind)
_ELECTRONIC = frozenset({Channel.EMAIL, Channel.SMS, Channel.WEB})
_BY_POST = frozenset({Channel.LETTER})
_BY_PHONE = frozenset({Channel.PHONE})
_POST_AND_PHONE = _BY_POST | _BY_PHONE
_ANY_CHANNEL = frozenset(Channel)
_BASKET = frozenset({MessageClass.CART_REMINDER, MessageClass.WIN_BACK})
_REGULAR = frozenset({MessageClass.MARKETING, MessageClass.NEWSLETTER})
ADVERTISING = _REGULAR | _BASKET
"""Classes that are advertising in the eyes of the law."""
_STRANGER = frozenset({Relation.NONE})
_CUSTOMER = frozenset({Relation.CUSTOMER})
_MEMBER = frozenset({Relation.MEMBER})
_ANY_RELATION = frozenset(Relation)
_ALL = frozenset(COUNTRIES)
_NO, _SE, _DK, _FI, _IS, _XX = (frozenset({country}) for country in COUNTRIES)

_OURS = date(2000, 1, 1)
_NO_LAW = date(2009, 6, 1)
"""Markedsføringsloven of 2009-01-09 (forbrukertilsynet.no, guide to § 15); the same rule stood in § 2 b before it."""
_SE_LAW = date(2008, 7, 1)
"""Marknadsföringslagen 2008:486 (sverigesannonsorer.se); the same rule stood in 1995:450 § 13 b from 2004-04-01."""
_SE_NIX_TRADERS = date(2017, 7, 1)
"""The rules of NIX-Telefon that name sole traders beside consumers (svemarknad.se, 2017-07-11)."""
_DK_LAW = date(2017, 7, 1)
"""Markedsføringsloven of 2017 (metropolinternational.com on its passage; text: danskelove.dk)."""
_DK_CALLS = date(2014, 6, 13)
"""Forbrugeraftaleloven, law 1457 of 2013-12-17 (familieadvokaten.dk, dtl.eu); its rule on calls is older."""
_FI_LAW = date(2015, 1, 1)
"""Act 917/2014, which ended 516/2004 on that day (finlex.fi, on 516/2004)."""

# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("all-transactional", _ALL, _ANYBODY, _ANY_CHANNEL, frozenset({MessageClass.TRANSACTIONAL}), _ANY_RELATION,
         Need.NOTHING, "GDPR Art. 6(1)(b): performance of a contract", _OURS),
    Rule("all-service", _ALL, _ANYBODY, _ANY_CHANNEL, frozenset({MessageClass.SERVICE}), _ANY_RELATION,
         Need.NOTHING, "Changed terms are not advertising (expowera.se on marknadsföringslagen § 19)", _OURS),
    Rule("all-dunning", _ALL, _ANYBODY, _ANY_CHANNEL, frozenset({MessageClass.DUNNING}), _ANY_RELATION,
         Need.NOTHING, "GDPR Art. 6(1)(f): a claim of our own; no selling in it (KKV 10/2023, 2.3)", _OURS),
    Rule("all-referral", _ALL, _ANYBODY, _ANY_CHANNEL, frozenset({MessageClass.REFERRAL}), _ANY_RELATION,
         Need.NEVER, "our rule: the referrer writes from his own device; we never write to the stranger", _OURS),
    Rule("all-club-terms", _ALL, _NATURAL, _ELECTRONIC, ADVERTISING, _MEMBER,
         Need.CONSENT, "our rule: club terms are a record of membership, never a consent", _OURS),

    Rule("no-electronic", _NO, _NATURAL, _ELECTRONIC, ADVERTISING, _STRANGER,
         Need.CONSENT, "markedsføringsloven § 15: natural persons, in business too (Ot.prp. 92 (2003-2004) 3.1.1)", _NO_LAW),
    Rule("no-electronic-customer", _NO, _NATURAL, _ELECTRONIC, ADVERTISING, _CUSTOMER,
         Need.SOFT, "markedsføringsloven § 15, existing customer: address from a sale, own similar goods", _NO_LAW),
    Rule("no-electronic-company", _NO, _COMPANY, _ELECTRONIC, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "markedsføringsloven § 15 protects natural persons, not post@firm", _NO_LAW),
    Rule("no-post-and-phone", _NO, _PERSON, _POST_AND_PHONE, ADVERTISING, _STRANGER | _MEMBER,
         Need.WASHED, "markedsføringsloven §§ 12, 13: wash at least once a month (brreg.no)", _NO_LAW),
    Rule("no-post-and-phone-customer", _NO, _PERSON, _POST_AND_PHONE, ADVERTISING, _CUSTOMER,
         Need.NO_REFUSAL, "markedsføringsloven § 13: existing customers are excepted (brreg.no)", _NO_LAW),
    Rule("no-post-and-phone-business", _NO, _BUSINESS, _POST_AND_PHONE, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "Reservasjonsregisteret: businesses, sole proprietors included, cannot reserve (brreg.no)",
         _NO_LAW),

    Rule("se-electronic", _SE, _NATURAL, _ELECTRONIC, ADVERTISING, _STRANGER,
         Need.CONSENT, "marknadsföringslagen § 19: natural persons and sole traders", _SE_LAW),
    Rule("se-electronic-customer", _SE, _NATURAL, _ELECTRONIC, ADVERTISING, _CUSTOMER,
         Need.SOFT, "marknadsföringslagen § 19, existing customer", _SE_LAW),
    Rule("se-electronic-company", _SE, _COMPANY, _ELECTRONIC, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "marknadsföringslagen § 19: legal persons until they refuse, with a stop address", _SE_LAW),
    Rule("se-post-and-phone", _SE, _PERSON, _POST_AND_PHONE, ADVERTISING, _ANY_RELATION,
         Need.WASHED, "marknadsföringslagen § 21, NIX every three months; our rule: customers too, for NIX excepts them "
         "for a year after the contract and for similar goods alone (swedma.se)", _SE_LAW),
    Rule("se-phone-sole-trader", _SE, _TRADER, _BY_PHONE, ADVERTISING, _ANY_RELATION,
         Need.WASHED, "NIX-Telefon names sole traders too (svemarknad.se); our rule: customers too", _SE_NIX_TRADERS),
    Rule("se-post-sole-trader", _SE, _TRADER, _BY_POST, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "marknadsföringslagen § 21; NIX-adresserat names consumers alone (swedma.se)", _SE_LAW),
    Rule("se-post-and-phone-company", _SE, _COMPANY, _POST_AND_PHONE, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "NIX names no companies (nixtelefon.org); our rule: refusals count", _SE_LAW),

    Rule("dk-electronic", _DK, _NATURAL, _ELECTRONIC, _REGULAR, _STRANGER,
         Need.CONSENT, "markedsføringsloven § 10(1): every recipient", _DK_LAW),
    Rule("dk-electronic-company", _DK, _COMPANY, _ELECTRONIC, _REGULAR, _STRANGER | _MEMBER,
         Need.CONSENT, "markedsføringsloven § 10(1): companies and authorities too", _DK_LAW),
    Rule("dk-electronic-customer", _DK, _ANYBODY, _ELECTRONIC, _REGULAR, _CUSTOMER,
         Need.SOFT, "markedsføringsloven § 10(2)", _DK_LAW),
    Rule("dk-basket", _DK, _NATURAL, _ELECTRONIC, _BASKET, _STRANGER | _CUSTOMER,
         Need.CONSENT, "Forbrugerombudsmanden: abandoned-basket and win-back messages need consent", _DK_LAW),
    Rule("dk-basket-company", _DK, _COMPANY, _ELECTRONIC, _BASKET, _ANY_RELATION,
         Need.CONSENT, "Forbrugerombudsmanden: abandoned-basket and win-back messages need consent", _DK_LAW),
    Rule("dk-post", _DK, _PERSON, _BY_POST, ADVERTISING, _ANY_RELATION,
         Need.WASHED, "markedsføringsloven § 10(4): refusals and the Robinson list in CPR, quarterly", _DK_LAW),
    Rule("dk-phone", _DK, _PERSON, _BY_PHONE, ADVERTISING, _ANY_RELATION,
         Need.CONSENT, "forbrugeraftaleloven § 4(1): no call to a consumer who has not asked for it "
         "(forbrugerombudsmanden.dk); our rule: also for the goods that § 4(2) excepts", _DK_CALLS),
    Rule("dk-post-and-phone-business", _DK, _BUSINESS, _POST_AND_PHONE, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "markedsføringsloven § 10(4): the Robinson list names persons; refusals count", _DK_LAW),

    Rule("fi-electronic", _FI, _NATURAL, _ELECTRONIC, ADVERTISING, _STRANGER,
         Need.CONSENT, "917/2014 § 200: natural persons; sole traders: our rule", _FI_LAW),
    Rule("fi-electronic-customer", _FI, _NATURAL, _ELECTRONIC, ADVERTISING, _CUSTOMER,
         Need.SOFT, "917/2014 § 200, customer who knows of it and may refuse (TSV 24.10.2005)", _FI_LAW),
    Rule("fi-electronic-company", _FI, _COMPANY, _ELECTRONIC, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "917/2014 § 200 protects natural persons", _FI_LAW),
    Rule("fi-post-and-phone", _FI, _PERSON, _POST_AND_PHONE, ADVERTISING, _ANY_RELATION,
         Need.WASHED, "our rule: the Robinson list for phone and post; 917/2014 § 200 asks for no consent here", _FI_LAW),
    Rule("fi-post-and-phone-business", _FI, _BUSINESS, _POST_AND_PHONE, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "our rule: the Robinson list names persons; refusals count", _FI_LAW),

    Rule("is-electronic", _IS, _NATURAL, _ELECTRONIC, ADVERTISING, _STRANGER | _CUSTOMER,
         Need.CONSENT, "lög um fjarskipti 70/2022, since 2022-09-01 (lagasafn.hi.is): prior informed consent of the subscriber "
         "(dlapiperdataprotection.com); our rule: no customer exception", _OURS),
    Rule("is-electronic-company", _IS, _COMPANY, _ELECTRONIC, ADVERTISING, _ANY_RELATION,
         Need.CONSENT, "lög um fjarskipti 70/2022 speaks of subscribers; our rule: as for natural persons", _OURS),
    Rule("is-post-and-phone", _IS, _PERSON, _POST_AND_PHONE, ADVERTISING, _ANY_RELATION,
         Need.WASHED, "our rule: bannskrá, the reservation list of Þjóðskrá (skra.is)", _OURS),
    Rule("is-post-and-phone-business", _IS, _BUSINESS, _POST_AND_PHONE, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "our rule: refusals count", _OURS),

    Rule("elsewhere-electronic", _XX, _NATURAL, _ELECTRONIC, ADVERTISING, _STRANGER | _CUSTOMER,
         Need.CONSENT, "our rule: the strictest of the five countries, where the law was not read", _OURS),
    Rule("elsewhere-electronic-company", _XX, _COMPANY, _ELECTRONIC, ADVERTISING, _ANY_RELATION,
         Need.CONSENT, "our rule: the strictest of the five countries, where the law was not read", _OURS),
    Rule("elsewhere-post", _XX, _ANYBODY, _BY_POST, ADVERTISING, _ANY_RELATION,
         Need.NO_REFUSAL, "GDPR Art. 21(2): objection to direct marketing", _OURS),
    Rule("elsewhere-phone", _XX, _ANYBODY, _BY_PHONE, ADVERTISING, _ANY_RELATION,
         Need.CONSENT, "our rule: many countries ask for a consent before a call", _OURS),
)
# fmt: on

_PURPOSE_OF = {
    MessageClass.MARKETING: Purpose.OFFERS,
    MessageClass.NEWSLETTER: Purpose.NEWSLETTER,
    MessageClass.CART_REMINDER: Purpose.OFFERS,
    MessageClass.WIN_BACK: Purpose.OFFERS,
    MessageClass.REFERRAL: Purpose.OFFERS,
}


def purpose_of(message_class: MessageClass) -> Purpose | None:
    """Return the purpose whose permission a class needs; None when it needs none."""
    return _PURPOSE_OF.get(message_class)


def law_of(country: str) -> str:
    """Return the country whose rows hold for a country."""
    return country if country in COUNTRIES else ELSEWHERE


class Combination(NamedTuple):
    """What a row is found by."""

    country: str
    recipient: RecipientKind
    channel: Channel
    message_class: MessageClass
    relation: Relation


def find_rule(combination: Combination, on: date, *, rules: Iterable[Rule] = RULES) -> Rule | None:
    """Return the row for a combination on a day; None before the first law that we know of."""
    country, recipient, channel, message_class, relation = combination
    law = law_of(country)
    for rule in rules:
        if (
            law in rule.countries
            and recipient in rule.recipients
            and channel in rule.channels
            and message_class in rule.classes
            and relation in rule.relations
            and rule.is_valid(on)
        ):
            return rule
    return None
