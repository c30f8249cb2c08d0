"""What the cast calls with: accounts with their roles, live sessions, second factors, tokens and keys."""

from datetime import timedelta
from typing import Any

from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services, tokens, totp
from accounts.api_keys import permissions_for_keys
from accounts.models import ApiKey, FederatedIdentity, SecondFactor, Session, User
from core.ids import new_id
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory, UserFactory
from tests.accounts.keys import bare_key, caller
from tests.authorization.cast import Actor


def user_of(actor: Actor) -> User | None:
    if actor.role is None:
        return None
    if actor.scopes is not None:
        user: User = UserFactory(is_service=True, email=f"{actor.name}@example.org")
        user.limited_to = permissions_for_keys().intersection(actor.scopes)
        RoleAssignmentFactory(user=user, role=actor.role, scope_kind=actor.scope_kind, scope_id=actor.scope_id)
        return user
    fields = {} if actor.user else {"person": actor.person or PersonFactory(), "email": f"{actor.name}@example.org"}
    user = actor.user or UserFactory(is_active=actor.is_active, **fields)
    if actor.user is None:
        RoleAssignmentFactory(user=user, role=actor.role, scope_kind=actor.scope_kind, scope_id=actor.scope_id)
    return user


def session_of(user: User, *, at: Any = None) -> Session:
    now = at or timezone.now()
    session_id = new_id()
    return Session.objects.create(
        id=session_id, user=user, current_refresh_hash=tokens.hash_of(tokens.new_refresh(session_id)), rotated_at=now,
        expires_at=now + timedelta(days=1), absolute_expires_at=now + timedelta(days=1),
    )  # fmt: skip


def _second_step_of(user: User) -> Any:
    """Return a log-in with the right password that waits for the second factor."""
    app_of(user)
    return services.admit(user, amr=["pwd"], at=timezone.now())


def identity_of(user: User) -> FederatedIdentity:
    return FederatedIdentity.objects.create(user=user, issuer="https://login.example.org", subject=str(user.pk))


def app_of(user: User) -> SecondFactor:
    return SecondFactor.objects.create(user=user, kind="totp", secret=totp.new_secret(), confirmed_at=timezone.now())


def client_of(actor: Actor, user: User | None) -> APIClient:
    """Return a client with a real token in a live session, or a key; a late one where the actor comes too late."""
    client = APIClient()
    now = timezone.now()
    if user is not None and actor.scopes is not None:
        late = {"created_at": now - timedelta(days=2), "expires_at": now - timedelta(days=1)} if actor.is_late else {}
        key = bare_key(user, *actor.scopes)
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=now if actor.is_revoked else None, **late)
        client = caller(key)
    elif user is not None and actor.is_pending:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {_second_step_of(user).token}")
    elif user is not None:
        session = session_of(user)
        claims = tokens.AccessClaims(user_id=user.pk, session_id=session.pk, token_version=user.token_version)
        issued = timezone.now() - (timedelta(days=1) if actor.is_late else timedelta())
        with override_settings(ACCESS_TOKEN_LIFETIME=timedelta(hours=6)):  # as long as all the tests here may take
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {services.issue_access(claims, at=issued)}")
    return client
