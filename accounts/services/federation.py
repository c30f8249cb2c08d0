"""Logging in by the word of another institution.

What opens an account is an identity: an issuer and whom it means. It is linked to an account once, by an address that
the issuer says it has verified, and only where the institution trusts that issuer with its addresses. Nobody's account
is made by it. An account with a second factor is asked for it all the same, unless the issuer is trusted to have asked
for two and says that it did.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from uuid import UUID

from django.db import transaction

from accounts import means, oidc
from accounts.models import FederatedIdentity, FederatedLogIn, User
from accounts.services.second_step import SecondStep, admit
from accounts.services.sessions import InvalidCredentialsError, Tokens
from audit.services import record
from core import crud
from core.errors import ForbiddenError, InvalidError, MissingError

UNDER_WAY_FOR = timedelta(minutes=10)
SECRET_BYTES = 32
DOOR = "federation"

logger = logging.getLogger(__name__)


class RedirectNotAllowedError(InvalidError):
    """Codes are sent to addresses that the institution has named."""

    code = "redirect_not_allowed"
    title = "The provider may not send people back to this address."
    field = "redirect_uri"


class EmailNotVerifiedError(ForbiddenError):
    """An address that nobody has verified may be anybody's."""

    code = "email_not_verified"
    title = "The provider has not verified the e-mail address, so it opens no account."


class NotLinkedError(ForbiddenError):
    """No account belongs to the identity, and none is made."""

    code = "identity_not_linked"
    title = "No account here belongs to this log-in."


class InvalidStateError(Exception):
    """The browser comes back from no log-in that was begun by this client and is still under way."""


@dataclass(frozen=True)
class Departure:
    """Where to send the browser, and what the client keeps to itself until it comes back."""

    url: str
    binding: str
    expires_in: int


def begin_federated(*, provider: str, redirect_uri: str, at: datetime) -> Departure:
    """Begin a log-in elsewhere.

    Raises `MissingError`, `RedirectNotAllowedError` and `oidc.ProviderUnavailableError`.
    """
    known = _provider(provider)
    if redirect_uri not in known.redirect_uris:
        raise RedirectNotAllowedError
    state, binding = secrets.token_urlsafe(SECRET_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    url = oidc.authorization_url(known, state=state, redirect_uri=redirect_uri)
    FederatedLogIn.objects.create(
        provider=known.name,
        state_hash=_hash(state),
        binding_hash=_hash(binding),
        redirect_uri=redirect_uri,
        expires_at=at + UNDER_WAY_FOR,
    )
    return Departure(url, binding, int(UNDER_WAY_FOR.total_seconds()))


def complete_federated(
    *, provider: str, state: str, binding: str, code: str, user_agent: str = "", ip: str | None = None, at: datetime
) -> Tokens | SecondStep:
    """Open a session of the account that the provider's log-in belongs to, or ask it for its second factor.

    Raises `MissingError`, `InvalidStateError`, `EmailNotVerifiedError`, `NotLinkedError`, `InvalidCredentialsError` and
    what `oidc.exchange` raises.
    """
    known = _provider(provider)
    log_in = _returned(known, state, binding, at)
    claims = oidc.exchange(known, code=code, state=state, redirect_uri=log_in.redirect_uri)
    try:
        user = _account_of(known, claims, at)
    except ForbiddenError as refused:
        record(action="login.failed", detail={"of": DOOR, "provider": known.name, "why": refused.error_code})
        raise
    if not user.is_active:
        record(action="login.failed", subject=user, detail={"of": DOOR, "provider": known.name})
        raise InvalidCredentialsError
    shown = [means.FEDERATED]
    if known.trusts_mfa and means.ELSEWHERE in claims.amr:
        shown.append(means.ELSEWHERE)
    return admit(user, amr=shown, user_agent=user_agent, ip=ip, at=at)


@transaction.atomic
def unlink_identity(user: User, *, identity: UUID) -> None:
    """Let an identity of an account open it no longer; raise `MissingError`."""
    linked = FederatedIdentity.objects.filter(user=user, pk=identity).first()
    if linked is None:
        raise MissingError(field="identity")
    crud.delete(linked)
    record(action="identity.unlinked", actor=user, subject=user, detail={"issuer": linked.issuer})


def _provider(name: str) -> oidc.Provider:
    provider = oidc.providers().get(name)
    if provider is None:
        raise MissingError(field="provider")
    return provider


def _returned(provider: oidc.Provider, state: str, binding: str, at: datetime) -> FederatedLogIn:
    """Use up a state and return the log-in it is of; whoever brings it second, or is not who began, gets nothing."""
    known = FederatedLogIn.objects.filter(provider=provider.name, state_hash=_hash(state))
    if not known.filter(returned_at__isnull=True, expires_at__gt=at).update(returned_at=at):
        raise InvalidStateError
    log_in = known.get()
    if not compare_digest(bytes(log_in.binding_hash), _hash(binding)):
        raise InvalidStateError
    return log_in


@transaction.atomic
def _account_of(provider: oidc.Provider, claims: oidc.Claims, at: datetime) -> User:
    """Return the account that an identity opens, linked to it now if it may be."""
    known = FederatedIdentity.objects.filter(issuer=claims.issuer, subject=claims.subject)
    if known.update(last_used_at=at):
        return _user(known.get().user_id)
    if not claims.email:
        raise NotLinkedError
    if not claims.is_email_verified:
        raise EmailNotVerifiedError
    user = User.objects.addressed(claims.email).filter(is_active=True).first() if provider.links_by_email else None
    if user is None or FederatedIdentity.objects.filter(user=user, issuer=claims.issuer).exists():
        raise NotLinkedError
    identity = {"user": user, "issuer": claims.issuer, "subject": claims.subject, "email": user.email}
    crud.create(FederatedIdentity, {**identity, "last_used_at": at})
    record(action="identity.linked", actor=user, subject=user, detail={"issuer": claims.issuer})
    return _user(user.pk)


def _user(pk: UUID) -> User:
    return User.objects.for_api().get(pk=pk)


def _hash(secret: str) -> bytes:
    return sha256(secret.encode(errors="surrogatepass")).digest()
