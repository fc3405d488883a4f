"""References that banks understand: a number with a control digit.

Every rule works from the right of the base to the left. Vectors: the tests hold them.
"""

from itertools import cycle

RF_MODULUS = 97
VIITE_DIGITS = range(3, 20)
FIK71_DIGITS = 14
TEN, ELEVEN = 10, 11


class BadBase(ValueError):
    """The base is not what the rule works on."""


def luhn_digit(base: str) -> str:
    """Return the MOD10 control digit: weights 2, 1, 2, 1 …, the digits of each product added."""
    products = (
        int(digit) * weight for digit, weight in zip(_right(base), cycle((2, 1)), strict=False)
    )
    return str(-sum(p // TEN + p % TEN for p in products) % TEN)


def mod11_digit(base: str) -> str | None:
    """Return the MOD11 control digit, or None where the rule gives `-`, which is never issued.

    Weights 2 to 7, repeating.
    """
    total = sum(int(d) * w for d, w in zip(_right(base), cycle(range(2, 8)), strict=False))
    check = -total % ELEVEN
    return None if check == TEN else str(check)


def kid(base: str, check: str) -> str | None:
    """Return the Norwegian KID of a base, `check` being `mod10` or `mod11`; None: take the next base."""
    digit = luhn_digit(base) if check == "mod10" else mod11_digit(base)
    return None if digit is None else base + digit


def ocr(base: str, *, with_length: bool = False) -> str:
    """Return the Swedish OCR number, with its length digit where the agreement wants one."""
    if with_length:
        base += str((len(base) + 2) % TEN)
    return base + luhn_digit(base)


def viitenumero(base: str) -> str:
    """Return the Finnish reference: weights 7, 3, 1, no leading zeros."""
    digits = base.lstrip("0")
    if len(digits) not in VIITE_DIGITS:
        message = "a viitenumero has 3 to 19 digits before its control digit"
        raise BadBase(message)
    total = sum(int(d) * w for d, w in zip(_right(digits), cycle((7, 3, 1)), strict=False))
    return digits + str(-total % TEN)


def fik71(base: str) -> str:
    """Return the reference of a Danish payment card of type 71: 15 digits."""
    padded = base.zfill(FIK71_DIGITS)
    if len(padded) > FIK71_DIGITS:
        message = "a card of type 71 has 14 digits before its control digit"
        raise BadBase(message)
    return padded + luhn_digit(padded)


def rf(reference: str) -> str:
    """Return the international reference (ISO 11649) of a national one."""
    text = reference.upper()
    if not (text.isascii() and text.isalnum() and len(text) <= 21):  # noqa: PLR2004 - 25 with RF and digits
        message = "an RF reference holds 1 to 21 letters and digits"
        raise BadBase(message)
    number = int("".join(str(int(sign, 36)) for sign in text + "RF00"))
    return f"RF{98 - number % RF_MODULUS:02d}{text}"


def _right(base: str) -> str:
    if not (base.isascii() and base.isdigit()):
        message = "the base holds digits only"
        raise BadBase(message)
    return base[::-1]
