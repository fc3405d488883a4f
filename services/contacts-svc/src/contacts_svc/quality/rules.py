"""How alike two people are: keys that bring those together who are worth comparing, and the score of a pair."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import jellyfish
from rapidfuzz import fuzz

VERSION = 1
"""Of what gives points, and how many: raised with every change here, pairs that wait are compared anew."""
LIKELY = 60
"""From this score on a pair is shown to a person who decides."""
BLOCK = 50
"""With how many others of one key a person is compared at most: the newest."""
_PHONE_TAIL = 7
_SHORTEST_LOCAL = 5
_EVERYBODYS = frozenset(
    {
        "admin",
        "bestilling",
        "booking",
        "contact",
        "faktura",
        "hello",
        "infopost",
        "kontakt",
        "kontor",
    }
    | {
        "mail",
        "noreply",
        "office",
        "order",
        "ordre",
        "post",
        "salg",
        "sales",
        "support",
        "webmaster",
    }
)
"""Mailboxes that say nothing about who reads them."""
_LETTERS = str.maketrans(
    {
        "æ": "a",
        "ä": "a",
        "å": "a",
        "ø": "o",
        "ö": "o",
        "ð": "d",
        "þ": "th",
        "ß": "ss",
        "đ": "d",
        "ł": "l",
    }
)
_PAIRS = (("aa", "a"), ("ae", "a"), ("oe", "o"), ("oo", "o"))
_WORD = re.compile(r"[a-z]+")
_SIGN = re.compile(r"[^a-z0-9]")
_HOUSE = re.compile(r"[a-z][^0-9]*0*([0-9]+)(?: ?([a-z])(?![a-z]))?")
"""The first number after a word, and its letter: in `7. juni gate 5 B, 2. tv` that is 5 and b."""


def folded(text: str) -> str:
    """Return a text as all its spellings have it: `Åse Kjær`, `Aase Kjaer` and `ASE KJÆR` are one."""
    if text.isascii():
        bare = text.lower()
    else:
        lowered = unicodedata.normalize("NFC", text).casefold().translate(_LETTERS)
        parted = unicodedata.normalize("NFKD", lowered)
        bare = "".join(sign for sign in parted if not unicodedata.combining(sign))
    for written, meant in _PAIRS:
        bare = bare.replace(written, meant)
    return bare


def words(text: str) -> tuple[str, ...]:
    """Return the words of a name, folded, without initials."""
    return tuple(word for word in _WORD.findall(folded(text)) if len(word) > 1)


def mailbox(email: str) -> str:
    """Return what stands before the @ in any spelling; empty where it says nothing about a person."""
    local = email.rpartition("@")[0].split("+", 1)[0]
    bare = _SIGN.sub("", folded(local))
    return "" if len(bare) < _SHORTEST_LOCAL or bare in _EVERYBODYS else bare


@dataclass(frozen=True, slots=True)
class Looks:
    """What of a person is compared."""

    person_id: UUID
    name: str = ""
    given_name: str = ""
    postal_code: str = ""
    street: str = ""
    emails: Sequence[str] = ()
    phones: Sequence[str] = ()
    words: tuple[str, ...] = field(init=False)
    sorted_name: str = field(init=False)
    """The words of the name in an order that does not depend on how it was written."""
    folded_street: str = field(init=False)
    house: tuple[str, str] = field(init=False)
    """The number in the street, and its letter; empty where there is none."""
    code: str = field(init=False)

    def __post_init__(self) -> None:
        # Each person is compared with many: what every comparison needs is worked out once.
        found = words(self.name)
        object.__setattr__(self, "words", found)
        object.__setattr__(self, "sorted_name", " ".join(sorted(found)))
        street = folded(self.street)
        house = _HOUSE.search(street)
        object.__setattr__(self, "folded_street", street)
        object.__setattr__(self, "house", (house[1], house[2] or "") if house else ("", ""))
        object.__setattr__(self, "code", _SIGN.sub("", self.postal_code.lower()))

    @property
    def first_name(self) -> str:
        """The name that members of one family do not share."""
        given = words(self.given_name) or (self.words[:1] if len(self.words) > 1 else ())
        return given[0] if given else ""


def _hashed(kind: str, *parts: str) -> int:
    digest = hashlib.blake2b("|".join((kind, *parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _texts(one: Looks) -> Iterator[tuple[str, ...]]:
    if one.code and one.words:
        # The order of the names does not matter; a middle name is often left out.
        ends = sorted({jellyfish.metaphone(one.words[0]), jellyfish.metaphone(one.words[-1])})
        yield ("name", *ends, one.code)
    for phone in one.phones:
        yield ("phone", phone[-_PHONE_TAIL:])
    for email in one.emails:
        if local := mailbox(email):
            yield ("mailbox", local)


def keys_of(one: Looks) -> frozenset[int]:
    """Return the keys of a person: only those who have one in common are compared."""
    return frozenset(kinds_of(one))


def kinds_of(one: Looks) -> dict[int, str]:
    """Return the keys of a person, each with what it is made of."""
    return {_hashed(*parts): parts[0] for parts in _texts(one)}


def _of_names(one: Looks, other: Looks) -> tuple[int, str]:
    if not one.words or not other.words:
        return 0, ""
    alike = fuzz.ratio(one.sorted_name, other.sorted_name)
    if alike >= 99:  # noqa: PLR2004 - the table of points is here
        return 45, "same_name"
    first, second = set(one.words), set(other.words)
    if (first <= second or second <= first) and min(len(first), len(second)) > 1:
        return 40, "name_is_part"
    if alike >= 85:  # noqa: PLR2004
        return 35, "similar_name"
    if alike >= 72:  # noqa: PLR2004
        return 15, "similar_name"
    return -40, "different_name"


def _of_houses(one: tuple[str, str], other: tuple[str, str]) -> tuple[int, str]:
    """Return what the house numbers say of two who live in one street."""
    if one[0] != other[0]:
        return (-10, "different_house") if one[0] and other[0] else (10, "same_street")
    if one[1] != other[1] and one[1] and other[1]:
        return 0, "different_entrance"
    return 20, "same_street"


def score(one: Looks, other: Looks) -> tuple[int, tuple[str, ...]]:
    """Return how likely two people are the same, 0 to 100, and why."""
    points, reason = _of_names(one, other)
    reasons = [reason] if reason else []

    def add(more: int, why: str) -> None:
        nonlocal points
        points += more
        reasons.append(why)

    tails = {phone[-_PHONE_TAIL:] for phone in one.phones}
    if set(one.phones) & set(other.phones):
        add(35, "same_phone")
    elif tails & {phone[-_PHONE_TAIL:] for phone in other.phones}:
        add(25, "similar_phone")
    if {mailbox(email) for email in one.emails} & {mailbox(email) for email in other.emails} - {""}:
        add(30, "same_mailbox_name")
    if one.code and one.code == other.code:
        add(15, "same_postal_code")
        streets = one.folded_street, other.folded_street
        if all(streets) and fuzz.ratio(*streets) >= 85:  # noqa: PLR2004
            add(*_of_houses(one.house, other.house))
    given = one.first_name, other.first_name
    # Members of one family share name, address and often the phone.
    are_two = all(given) and given[0] not in other.words and given[1] not in one.words
    if are_two and fuzz.ratio(*given) < 75:  # noqa: PLR2004
        add(-35, "different_given_name")
    return max(0, min(100, points)), tuple(reasons)
