"""The means by which somebody proves who they are, and which roles ask for a second one.

They are named as RFC 8176 names them, where it does: `pwd` a password, `otp` a code of an app, `pop` a security key,
`fed` another institution's word, `mfa` that institution's word that it asked for two; `recovery` is a written code.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.conf import settings

from accounts.roles import Role

PASSWORD, APP, KEY, RECOVERY, FEDERATED, ELSEWHERE = "pwd", "otp", "pop", "recovery", "fed", "mfa"
# Each of these beside a password, or another institution's word, is a second factor.
SECOND = frozenset({APP, KEY, RECOVERY, ELSEWHERE})
# What `MFA_REQUIRED_ROLES` calls everybody who works at the institution.
STAFF = "staff"
NO_STAFF = frozenset({Role.STUDENT, Role.GUARDIAN, Role.INTEGRATION})


def has_second(means: Iterable[str]) -> bool:
    """Say whether the means of a log-in hold a second factor."""
    return not SECOND.isdisjoint(means)


def demanding_roles() -> frozenset[str]:
    """Return the roles that nobody uses without a second factor."""
    return _named_by(tuple(settings.MFA_REQUIRED_ROLES))


@cache
def _named_by(setting: tuple[str, ...]) -> frozenset[str]:
    named = frozenset(setting)
    return named - {STAFF} | (frozenset(Role.values) - NO_STAFF if STAFF in named else frozenset())


def is_demanded_of(user: Any) -> bool:
    """Say whether an account holds a role now that asks for a second factor; a program has none to show."""
    demanding = demanding_roles()
    if not demanding or getattr(user, "is_service", False):
        return False
    return any(held.role in demanding for held in getattr(user, "assignments", ()))
