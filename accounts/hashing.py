"""Hashing passwords without keeping other requests waiting.

A hash is tens of milliseconds of pure computing. A web worker is one thread that many requests take turns in, and while
one of them hashed, none of the others would be answered. So there hashes run in a few threads beside it, during which
the library lets go of the interpreter; more hashes than threads queue, which bounds their memory as well. Everything
else that hashes is a process with nothing else to do, and just does it.

Whatever is checked costs one hash of every kind that passwords are stored as: the stored one, and decoys of the other
kinds. So time tells nothing of an account whose password is of an older kind until its owner logs in. To hash the older
hashes once more, as Django describes for weak ones, would not do: the costly old hash, such as BCrypt's, would still be
computed for these accounts alone. As soon as no open account has an older hash, a check is one Argon2.
"""

import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeVar

from django.contrib.auth.hashers import BasePasswordHasher, get_hasher, identify_hasher, make_password
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import get_random_string

from accounts.hash_kinds import Kind, kind_of, kinds_in_use

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
    own = kind_of(stored)
    todays = _kind_by(preferred)
    kinds = kinds_in_use.with_(todays, *([own] if own is not None else []))
    others = [_decoy(kind) for kind in sorted(kinds) if kind != own]
    if own is None or stored is None:
        _beside(_matching, password, others)
        return False, False
    is_correct = stored in _beside(_matching, password, [stored, *others])
    return is_correct, own.algorithm != preferred.algorithm or preferred.must_update(stored)


def _matching(password: str, hashes: Iterable[str]) -> list[str]:
    """Return those of the hashes that are of the password; all are compared."""
    return [each for each in hashes if identify_hasher(each).verify(password, each)]


@lru_cache(maxsize=4)
def _kind_by(hasher: BasePasswordHasher) -> Kind:
    """Return the kind that a hasher makes."""
    kind = kind_of(_beside(hasher.encode, get_random_string(32), hasher.salt()))
    if kind is None:
        raise ImproperlyConfigured("The first of PASSWORD_HASHERS makes hashes that it does not read.")
    return kind


@lru_cache(maxsize=64)
def _decoy(kind: Kind) -> str:
    """Return a hash of nobody's password, made once in each process."""
    hasher = kind.hasher
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
