"""Draw response codes: short enough to key by hand, too many to guess (45 bits)."""

import secrets

from kantis_contracts.codes import ALPHABET, CODE_LENGTH, check_character

KEY_LENGTH = 4
_BITS_EACH = 5
_ONE = 2**_BITS_EACH - 1
_PAIR = 2 ** (2 * _BITS_EACH) - 1
_BYTES_DRAWN = 8
"""A code takes 45 bits of them; whole machine words are read fastest."""
_PAIRS = [one + two for one in ALPHABET for two in ALPHABET]


def _check_of(at: int, characters: str) -> int:
    """Return what characters at a place add to the check, where all others are nought."""
    data = characters.rjust(at + len(characters), "0").ljust(CODE_LENGTH - 1, "0")
    return ALPHABET.index(check_character(data))


# The check is linear: that of a code is the sum (exclusive or) of what its pairs and its last character add.
_CHECKS = [
    *([_check_of(at, pair) for pair in _PAIRS] for at in range(0, CODE_LENGTH - 2, 2)),
    [_check_of(CODE_LENGTH - 2, one) for one in ALPHABET],
]


def draw_code() -> str:
    """Return a new code from the system's source of secrets."""
    return draw_codes(1)[0]


def draw_codes(count: int) -> list[str]:
    """Return new codes from the system's source of secrets, which is asked once for all of them."""
    pairs, alphabet = _PAIRS, ALPHABET
    first, second, third, fourth, last = _CHECKS
    drawn: list[str] = []
    for bits in memoryview(secrets.token_bytes(_BYTES_DRAWN * count)).cast("Q"):
        one, two = bits & _PAIR, bits >> 10 & _PAIR
        three, four, five = bits >> 20 & _PAIR, bits >> 30 & _PAIR, bits >> 40 & _ONE
        check = first[one] ^ second[two] ^ third[three] ^ fourth[four] ^ last[five]
        drawn.append(
            f"{pairs[one]}{pairs[two]}{pairs[three]}{pairs[four]}{alphabet[five]}{alphabet[check]}"
        )
    return drawn


def draw_key() -> str:
    """Return a short key code for a cell, to be printed on what it sends."""
    return "".join(secrets.choice(ALPHABET) for _ in range(KEY_LENGTH))
