"""Which program is calling: an API key, checked with its account and the roles that holds, in one query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from accounts import services
from accounts.selectors import key_presented
from core.security.addresses import caller_of, client_address, is_within

if TYPE_CHECKING:  # REST framework imports this module while its own views are still importing
    from uuid import UUID

    from rest_framework.request import Request

    from accounts.models import User

SCHEME = "Api-Key"


@dataclass(frozen=True)
class KeyClaims:
    """What a request with a key knows of it: `core` counts requests by its id, and puts its prefix on record."""

    api_key_id: UUID
    api_key_prefix: str


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <key>`, and nowhere else: addresses are logged and remembered by everybody."""

    def authenticate(self, request: Request) -> tuple[User, KeyClaims] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != SCHEME.lower().encode():
            return None
        now = timezone.now()
        sent = key_presented(b" ".join(parts[1:]).decode("latin-1"), at=now)
        key, address = sent.key, client_address(request._request)
        text = str(address) if address else None
        if key is None or sent.fault:
            services.note_refusal(key, fault=sent.fault, prefix=sent.prefix, caller=caller_of(address))
            raise AuthenticationFailed("The API key is not valid, has expired or was revoked.", code="invalid_api_key")
        if key.ip_networks and not is_within(address, key.ip_networks):
            services.note_misuse(key, address=text, at=now)
            raise AuthenticationFailed("The API key may not be used from here.", code="api_key_not_for_address")
        services.note_use(key, address=text, at=now)
        return key.account, KeyClaims(key.pk, key.prefix)

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="api"'
