"""Hashing passwords without keeping other requests waiting.

A hash is tens of milliseconds of pure computing. A web worker is one thread that many requests take turns in, and while
one of them hashed, none of the others would be answered. So there hashes run in a few threads beside it, during which
the library lets go of the interpreter; more hashes than threads queue, which bounds their memory as well. Everything
else that hashes is a process with nothing else to do, and just does it.
"""

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from django.contrib.auth.hashers import (
    BasePasswordHasher,
    get_hasher,
    identify_hasher,
    is_password_usable,
    make_password,
)
from django.utils.crypto import get_random_string

# How many hashes one web worker computes at a time, 19 MiB each.
THREADS = 2

ResultT = TypeVar("ResultT")


def hashed(password: str) -> str:
    """Return what is stored of a password, which is hashed exactly as it was sent."""
    return _beside(make_password, password)


def check(password: str, stored: str | None) -> tuple[bool, bool]:
    """Return whether the password is the stored one, and whether it deserves a hash of today's kind.

    Without a stored password, or with one that nothing matches, it costs exactly as much.
    """
    preferred = get_hasher()
    decoy = _decoy(preferred)
    hasher = _hasher_of(stored)
    if stored is None or hasher is None:
        _beside(preferred.verify, password, decoy)
        return False, False
    is_correct = _beside(hasher.verify, password, stored)
    return is_correct, hasher.algorithm != preferred.algorithm or preferred.must_update(stored)


def _hasher_of(stored: str | None) -> BasePasswordHasher | None:
    if not is_password_usable(stored):
        return None
    try:
        return identify_hasher(str(stored))
    except ValueError:  # of a kind that is not installed
        return None


@lru_cache(maxsize=4)
def _decoy(hasher: BasePasswordHasher) -> str:
    """Return a hash of nobody's password, made once in each process."""
    return _beside(hasher.encode, get_random_string(32), hasher.salt())


def _beside(work: Callable[..., ResultT], *arguments: Any) -> ResultT:
    """Do some computing and return its result; under gevent in another thread, while other greenlets go on."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return work(*arguments)
    from gevent import get_hub

    result: ResultT = _pool(get_hub()).apply(work, arguments)
    return result


@lru_cache(maxsize=4)
def _pool(hub: Any) -> Any:  # gevent has no types
    from gevent.threadpool import ThreadPool

    return ThreadPool(THREADS, hub=hub)
