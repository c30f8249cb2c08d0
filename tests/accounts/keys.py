"""Keys of programs, for the tests of what they open."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.api_keys import hash_of, new_key
from accounts.models import ApiKey, ApiKeyUse, User
from accounts.roles import Role
from tests.accounts.factories import RoleAssignmentFactory, UserFactory, held_in

ME = "/api/v1/auth/me/"


def program(*roles: Role) -> User:
    """Return the account of a program that holds roles."""
    user: User = UserFactory(is_service=True)
    for role in roles:
        RoleAssignmentFactory(user=user, role=role, **held_in(role))
    return user


def key_of(user: User, *scopes: str, **values: Any) -> ApiKey:
    """Return a key of an account as the service makes it, with its `secret`."""
    usual: Any = {"name": "Timetables", "expires_at": timezone.now() + timedelta(days=30)}
    return services.create_api_key(by=None, user=user, scopes=list(scopes), **{**usual, **values})


def bare_key(user: User, *scopes: str, **values: Any) -> ApiKey:
    """Return a key that no service has looked at: with scopes that its account lacks, or one of the past."""
    secret, prefix = new_key()
    usual: Any = {"name": "Any", "expires_at": timezone.now() + timedelta(days=30), "prefix": prefix}
    key = ApiKey(user=user, scopes=list(scopes), key_hash=hash_of(secret), **{**usual, **values})
    key.save(force_insert=True)
    ApiKeyUse.objects.create(key=key)
    key.secret = secret
    return key


def caller(key: ApiKey | str) -> APIClient:
    """Return a client that sends a key."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {key if isinstance(key, str) else key.secret}")
    return client


def answer(client: APIClient, url: str = ME, **options: Any) -> tuple[int, str | None]:
    """Return the status and, of a refusal, the code that a client gets from a URL."""
    response = client.get(url, **options)
    return response.status_code, response.json().get("code")
