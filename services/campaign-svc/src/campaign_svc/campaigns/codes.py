"""Response codes: short enough to key by hand, too many to guess, and wrong ones are noticed.

A code is nine random characters of Crockford's base 32 (45 bits) and a check character. The check is a weighted sum
over the field GF(2^5): every single wrong character and every swap of two different characters, adjacent or not,
changes it, which ISO 7064 MOD 37,36 does not promise for an alphabet of 32.
"""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DATA_LENGTH = 9
KEY_LENGTH = 4
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
# What people read and key for what is printed (Crockford's own list).
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_FIELD_BITS = 5
_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1 is primitive: the powers of x are 31 different weights


def _times_x(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value >> _FIELD_BITS else value


def check_character(data: str) -> str:
    """Return the character that makes the code's weighted sum zero; at most 30 characters of data."""
    total = 0
    for character in data:
        total = _times_x(total ^ _VALUE[character])
    return ALPHABET[total]


def is_sound(code: str) -> bool:
    """Say whether the check character fits; the code may be as keyed, with hyphens and small letters."""
    plain = normal(code)
    if len(plain) != DATA_LENGTH + 1 or any(character not in _VALUE for character in plain):
        return False
    return check_character(plain[:-1]) == plain[-1]


def normal(code: str) -> str:
    """Return the code as it is stored."""
    return code.upper().translate(_MISREAD)


def draw_code() -> str:
    """Return a new code from the system's source of secrets."""
    bits = secrets.randbits(DATA_LENGTH * _FIELD_BITS)
    data = "".join(
        ALPHABET[bits >> (_FIELD_BITS * place) & (len(ALPHABET) - 1)]
        for place in range(DATA_LENGTH)
    )
    return data + check_character(data)


def draw_key() -> str:
    """Return a short key code for a cell, to be printed on what it sends."""
    return "".join(secrets.choice(ALPHABET) for _ in range(KEY_LENGTH))
