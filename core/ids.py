"""Primary keys: time-ordered, so that B-tree inserts stay local and keys page well."""

import secrets
import time
import uuid


def new_id() -> uuid.UUID:
    """Return an RFC 9562 version 7 UUID.

    Every model names this function, so the generator can be replaced by the standard library's or
    the database's own without a migration.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)
