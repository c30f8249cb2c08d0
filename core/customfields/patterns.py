"""Regular expressions from users, run by RE2: linear in the text, whatever the expression."""

from functools import lru_cache
from typing import Any

import re2

from core.customfields.errors import InvalidRegexError

# What one compiled expression may occupy; a counted repetition beyond it is refused when saved.
MAX_MEMORY = 1 << 20


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """Return the compiled expression; raise `InvalidRegexError` with RE2's reason."""
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(pattern, options)
    except UnicodeEncodeError:
        raise InvalidRegexError from None
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidRegexError(f"The expression is not valid RE2 syntax: {text}.") from None


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole of `text` matches."""
    return compiled(pattern).fullmatch(text) is not None
