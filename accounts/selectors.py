"""What others ask of accounts: whose a token is, which keys verify tokens, and whether roles are held in a unit."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db.models import Exists, F
from jwt.algorithms import ECAlgorithm

from accounts.assignments import unit_model
from accounts.models import RoleAssignment, SigningKey, User
from accounts.roles import ScopeKind
from accounts.tokens import ALGORITHM, AccessClaims
from core.errors import InUseError


def user_of(claims: AccessClaims, *, at: datetime) -> User | None:
    """Return the account that verified claims speak for, with its roles; None when its session has ended.

    One query asks for the account, the session, the roles held now and the key that signed the token, so
    that whatever was taken back is taken back for the next request. Whether the token is of the
    account's present version is for the caller to compare.
    """
    return (
        User.objects.with_assignments()
        .select_related("person")
        .filter(
            Exists(SigningKey.objects.trusted().filter(kid=claims.kid)),
            pk=claims.user_id,
            is_active=True,
            sessions=claims.session_id,
            sessions__revoked_at__isnull=True,
            sessions__expires_at__gt=at,
        )
        .annotate(session_id=F("sessions__pk"))
        .first()
    )


def require_unassigned(kind: ScopeKind, ids: Collection[UUID]) -> None:
    """Refuse with `in_use` while a role is held, or will be, within one of the units, and let nobody be given one.

    For the transaction that deletes the units, before it does. Assignments that have ended name the
    unit as it was and keep nobody from deleting it.
    """
    model = unit_model(kind)
    if model is not None:
        rows = model._base_manager.filter(pk__in=list(ids)).order_by("pk").select_for_update(of=("self",))
        list(rows.values_list("pk"))
    held = RoleAssignment.objects.lasting().filter(scope_kind=kind, scope_id__in=list(ids)).count()
    if held:
        raise InUseError(meta={"referred_to_by": {str(RoleAssignment._meta.verbose_name_plural): held}})


def published_keys() -> list[dict[str, Any]]:
    """Return the public keys that verify tokens, or will: a JSON Web Key each (RFC 7517)."""
    rows = SigningKey.objects.trusted().order_by("published_at", "id").values_list("kid", "public_key")
    return [_jwk(kid, pem) for kid, pem in rows]


def _jwk(kid: str, pem: str) -> dict[str, Any]:
    public: Any = load_pem_public_key(pem.encode())
    return {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": ALGORITHM}
