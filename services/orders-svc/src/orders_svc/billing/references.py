"""References that banks understand: a number with a control digit.

Every rule works from the right of the base to the left. Vectors: the tests hold them.

Source: Mastercard Payment Services (KID), Bankgirot (OCR), Finance Finland (viitenumero), ISO 11649; 2026-11.
"""

from itertools import cycle

from orders_svc.settings import PaymentAgreement

RF_MODULUS = 97
VIITE_DIGITS = range(3, 20)
FIK_DIGITS = {"71": 14, "75": 15}
"""Digits of a Danish card's reference before its control digit."""
KID_DIGITS = 24
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
    if len(base) > KID_DIGITS:
        message = f"a KID has at most {KID_DIGITS} digits before its control digit"
        raise BadBase(message)
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


def fik(base: str, card: str = "71") -> str:
    """Return the reference of a Danish payment card of type 71 (15 digits) or 75 (16 digits)."""
    digits = FIK_DIGITS[card]
    padded = base.zfill(digits)
    if len(padded) > digits:
        message = f"a card of type {card} has {digits} digits before its control digit"
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


def make_reference(agreement: PaymentAgreement, base: str) -> str | None:
    """Return the reference of a base in the layout that was agreed; None: take the next base. Raises `BadBase`."""
    layout, length = agreement.layout, agreement.length
    if layout in ("kid_mod10", "kid_mod11"):
        return kid(base.zfill(length - 1), layout.removeprefix("kid_"))
    if layout in ("ocr", "ocr_fixed"):
        return ocr(base.zfill(length - 1) if layout == "ocr_fixed" else base)
    if layout == "ocr_length":
        return ocr(base, with_length=True)
    if layout in ("fik71", "fik75"):
        return fik(base, layout.removeprefix("fik"))
    return viitenumero(base) if layout == "viitenumero" else rf(base)


def printed(reference: str, layout: str) -> str:
    """Return a reference as people read it: Finnish ones in groups of five from the right, RF in groups of four."""
    if layout == "viitenumero":
        first = len(reference) % 5
        groups = [
            reference[:first],
            *(reference[at : at + 5] for at in range(first, len(reference), 5)),
        ]
        return " ".join(filter(None, groups))
    if layout == "rf":
        return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))
    return reference


def _right(base: str) -> str:
    if not (base.isascii() and base.isdigit()):
        message = "the base holds digits only"
        raise BadBase(message)
    return base[::-1]
