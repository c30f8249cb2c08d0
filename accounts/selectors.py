"""What others ask of accounts: whose a token is, and which keys verify tokens."""

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db.models import Exists, F
from jwt.algorithms import ECAlgorithm

from accounts.models import SigningKey, User
from accounts.tokens import ALGORITHM, AccessClaims


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


def published_keys() -> list[dict[str, Any]]:
    """Return the public keys that verify tokens, or will: a JSON Web Key each (RFC 7517)."""
    rows = SigningKey.objects.trusted().order_by("published_at", "id").values_list("kid", "public_key")
    return [_jwk(kid, pem) for kid, pem in rows]


def _jwk(kid: str, pem: str) -> dict[str, Any]:
    public: Any = load_pem_public_key(pem.encode())
    return {**ECAlgorithm.to_jwk(public, as_dict=True), "kid": kid, "use": "sig", "alg": ALGORITHM}
