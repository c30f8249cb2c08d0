"""Who is calling by the session of the administration pages, for the few addresses outside the API that ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication

from accounts.backends import MEANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.request import Request

    from accounts.models import User


@dataclass(frozen=True)
class AdministrationSession:
    """A log-in at the administration pages: the means by which it was opened."""

    amr: Sequence[str]


class AdministrationAuthentication(BaseAuthentication):
    """The session of the administration pages, to read by: nothing here asks for a CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, AdministrationSession] | None:
        user: Any = getattr(request._request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        return user, AdministrationSession(request._request.session.get(MEANS, ()))
