"""The check digits that tell a number of a kind from any other number."""

_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20,
    "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18,
    "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "JO": 30,
    "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24,
    "ME": 22, "MK": 19, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_RESIDENT = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
_ROC_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # 10 to 35


def is_luhn(digits: str) -> bool:
    """ISO/IEC 7812: cards."""
    total = 0
    for n, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if n % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """ISO 13616, without spaces."""
    if _IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def is_resident_id(text: str) -> bool:
    """Of the People's Republic of China, 18 characters."""
    total = sum(weight * int(digit) for weight, digit in zip(_RESIDENT, text, strict=False))
    return "10X98765432"[total % 11] == text[17].upper()


def is_roc_id(text: str) -> bool:
    """Of Taiwan: a letter and nine digits."""
    number = _ROC_LETTERS.index(text[0].upper()) + 10
    digits = [number // 10, number % 10, *map(int, text[1:])]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return sum(a * b for a, b in zip(digits, weights, strict=True)) % 10 == 0


def is_hong_kong_id(text: str) -> bool:
    """One or two letters, six digits and the check digit, without brackets."""
    body, check = text[:-1].upper().rjust(8), text[-1].upper()
    values = [36 if sign == " " else int(sign, 36) for sign in body]
    total = sum(value * (9 - n) for n, value in enumerate(values))
    return (total + int(check, 36)) % 11 == 0
