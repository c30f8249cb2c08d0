"""Which passwords are accepted (NIST SP 800-63B-4, section 3.1.1.2): long ones that nobody would try first.

No kind of character is asked for, and no password expires. What is refused is short, among the passwords that are
tried first, a keyboard pattern, found in a list of stolen ones, or little more than what is known about the account.
"""

import hashlib
import mmap
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator

from accounts.models import Person
from core.errors import InvalidError

SHORTEST = 15
SHORTEST_WITH_SECOND_FACTOR = 8
LONGEST = 1000
# Of words that are known about an account, shorter ones occur by chance.
SHORTEST_KNOWN = 4
# What has to be left of a password when they are taken out of it.
FEWEST_OWN = 8
PRODUCT = ("campushub360", "campushub", "campus hub")
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm")
DISGUISES = str.maketrans("@4310$57!", "aaeiosst" + "i")


class PasswordTooShortError(InvalidError):
    """The password is shorter than a single factor must be."""

    code = "password_too_short"
    title = "A password has at least 15 characters."
    field = "password"


class PasswordTooLongError(InvalidError):
    """The password is longer than anybody needs."""

    code = "password_too_long"
    title = "A password has at most 1000 characters."
    field = "password"


class PasswordTooCommonError(InvalidError):
    """The password is one of those that are tried first."""

    code = "password_too_common"
    title = "This password, or a pattern like it, is among the first that anybody tries."
    field = "password"


class PasswordStolenError(InvalidError):
    """The password is in the list of stolen ones."""

    code = "password_stolen"
    title = "This password is known from a theft elsewhere."
    field = "password"


class PasswordTooPersonalError(InvalidError):
    """The password is made of what is known about the account."""

    code = "password_too_personal"
    title = "This password is little more than the name or address of the account, the product or the institution."
    field = "password"


def require_acceptable(password: str, *, about: Iterable[str] = (), has_second_factor: bool = False) -> None:
    """Raise why a password is not accepted, if it is not; `about` is what is known about the account."""
    shortest = SHORTEST_WITH_SECOND_FACTOR if has_second_factor else SHORTEST
    if len(password) < shortest:
        raise PasswordTooShortError(f"A password has at least {shortest} characters.")
    if len(password) > LONGEST:
        raise PasswordTooLongError
    spellings = _spellings(password)
    if any(_is_common(spelling) for spelling in spellings):
        raise PasswordTooCommonError
    if any(_is_known(spelling, about) for spelling in spellings):
        raise PasswordTooPersonalError
    if _is_stolen(password):
        raise PasswordStolenError


def words_about(email: str, person: Person | None) -> list[str]:
    """Return what is known about an account."""
    names = [person.first_name, person.last_name, person.preferred_name, person.email] if person else []
    return [email, *names]


@cache
def common_passwords() -> frozenset[str]:
    """Return the passwords that are tried first: twenty thousand from thefts, which Django comes with."""
    return frozenset(CommonPasswordValidator().passwords)


def _spellings(password: str) -> set[str]:
    """Return what is compared of a password: as it is, its letters and digits alone, and without disguises."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    return {plain, _bare(plain), _bare(plain.translate(DISGUISES))} - {""}


def _bare(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _is_common(text: str) -> bool:
    common = common_passwords()
    unit = _unit(text)
    return text in common or unit in common or (len(unit) < len(text) and len(unit) <= SHORTEST_KNOWN) or _runs(text)


def _unit(text: str) -> str:
    """Return what the text repeats, whole times; itself if it repeats nothing."""
    length = (text + text).find(text, 1)
    return text[:length]


def _runs(text: str) -> bool:
    """Say whether hardly any character comes unexpected after the one before, as in `abcdefgh` and `qwertz`."""
    surprises = sum(not _is_next(one, other) for one, other in pairwise(text))
    return surprises * 5 <= len(text)


def _is_next(one: str, other: str) -> bool:
    return abs(ord(one) - ord(other)) <= 1 or any(one + other in row or other + one in row for row in ROWS)


def _is_known(text: str, about: Iterable[str]) -> bool:
    rest = text
    for word in sorted(_known_words(about), key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != text and (len(_bare(rest)) < FEWEST_OWN or _bare(rest) in common_passwords())


def _known_words(about: Iterable[str]) -> Collection[str]:
    return {word for text in (*PRODUCT, settings.INSTITUTION_NAME, *about) for word in _words(text)}


def _words(text: str) -> Iterator[str]:
    """Yield the parts of a name or an address, and all of it as one word."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    parts = "".join(character if character.isalnum() else " " for character in plain).split()
    yield from (word for word in {*parts, "".join(parts)} if len(word) >= SHORTEST_KNOWN)


def _is_stolen(password: str) -> bool:
    """Look a password up in the file of stolen ones: lines that begin with a SHA-1 in capitals, in their order."""
    path = settings.BREACH_LIST_FILE
    if not path:
        return False
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        return _holds(lines, wanted)


def _holds(lines: Any, wanted: bytes) -> bool:
    """Search sorted lines by halves."""
    low, high = 0, len(lines)
    while low < high:
        start = lines.rfind(b"\n", 0, (low + high) // 2) + 1
        end = lines.find(b"\n", start)
        end = len(lines) if end < 0 else end
        found = lines[start : start + len(wanted)]
        if found == wanted:
            return True
        low, high = (end + 1, high) if found < wanted else (low, start)
    return False
