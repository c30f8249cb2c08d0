"""How the administration pages log people in: by the same service, count and cost as the API."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest
from django.utils import timezone

from accounts import services
from accounts.models import User

DOOR = "administration"
# What the session of a log-in keeps the means under by which it was opened.
MEANS = "means"


class PasswordBackend(ModelBackend):
    """Accounts with their passwords. What an account may do it says itself, by its roles."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **others: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        try:
            return services.authenticate(email=username, password=password, door=DOOR, at=timezone.now())
        except services.InvalidCredentialsError:
            return None
