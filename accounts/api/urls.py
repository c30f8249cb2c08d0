"""Where accounts answer."""

from django.urls import path

from accounts.api import (
    api_keys,
    auth,
    factors,
    federation,
    identifiers,
    keys,
    passwords,
    recovery,
    security_keys,
    sessions,
)
from accounts.api.views import RoleAssignmentViewSet, RolesView, UserViewSet

routes = [
    ("users", UserViewSet, "user"),
    ("role-assignments", RoleAssignmentViewSet, "role-assignment"),
    ("person-identifiers", identifiers.PersonIdentifierViewSet, "person-identifier"),
]

urlpatterns = [
    path("auth/token/", auth.LogInView.as_view(), name="auth-token"),
    path("auth/token/mfa/", factors.SecondStepView.as_view(), name="auth-second-step"),
    path("auth/mfa/", factors.FactorsView.as_view(), name="auth-factors"),
    path("auth/mfa/totp/", factors.AppView.as_view(), name="auth-app"),
    path("auth/mfa/totp/confirm/", factors.AppConfirmView.as_view(), name="auth-app-confirm"),
    path("auth/token/mfa/webauthn/", security_keys.KeyStepView.as_view(), name="auth-key-step"),
    path("auth/mfa/webauthn/", security_keys.KeyView.as_view(), name="auth-key"),
    path("auth/mfa/webauthn/confirm/", security_keys.KeyConfirmView.as_view(), name="auth-key-confirm"),
    path("auth/mfa/recovery-codes/", factors.RecoveryCodesView.as_view(), name="auth-recovery-codes"),
    path("auth/mfa/factors/remove/", factors.FactorRemovalView.as_view(), name="auth-factor-remove"),
    path(
        "users/<uuid:pk>/factors/reset/",
        factors.FactorResetViewSet.as_view({"post": "reset_factors"}),
        name="user-factors-reset",
    ),
    path("auth/oidc/", federation.ProvidersView.as_view(), name="auth-oidc"),
    path("auth/oidc/start/", federation.DepartureView.as_view(), name="auth-oidc-start"),
    path("auth/oidc/callback/", federation.ReturnView.as_view(), name="auth-oidc-callback"),
    path("auth/identities/", federation.IdentitiesView.as_view(), name="auth-identities"),
    path("auth/identities/unlink/", federation.UnlinkView.as_view(), name="auth-identity-unlink"),
    path("auth/token/refresh/", auth.RefreshView.as_view(), name="auth-refresh"),
    path("auth/token/verify/", auth.VerifyView.as_view(), name="auth-verify"),
    path("auth/logout/", auth.LogOutView.as_view(), name="auth-logout"),
    path("auth/password/change/", passwords.PasswordChangeView.as_view(), name="auth-password-change"),
    path("auth/password/reset/", recovery.PasswordResetView.as_view(), name="auth-password-reset"),
    path(
        "auth/password/reset/confirm/", recovery.PasswordResetConfirmView.as_view(), name="auth-password-reset-confirm"
    ),
    path("auth/email/change/", recovery.EmailChangeView.as_view(), name="auth-email-change"),
    path("auth/email/change/confirm/", recovery.EmailChangeConfirmView.as_view(), name="auth-email-change-confirm"),
    path("auth/jwks.json", keys.KeySetView.as_view(), name="auth-jwks"),
    path(
        "auth/sessions/",
        sessions.OwnSessionViewSet.as_view({"get": "list", "delete": "end_others"}),
        name="auth-sessions",
    ),
    path(
        "auth/sessions/<uuid:pk>/",
        sessions.OwnSessionViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="auth-session",
    ),
    path(
        "users/<uuid:parent>/sessions/",
        sessions.UserSessionViewSet.as_view({"get": "list", "delete": "end_all"}),
        name="user-sessions",
    ),
    path(
        "people/<uuid:parent>/identifiers/",
        identifiers.IdentifiersOfPersonViewSet.as_view({"get": "list"}),
        name="person-identifiers",
    ),
    path(
        "person-identifiers/<uuid:pk>/reveal/",
        identifiers.RevealIdentifierViewSet.as_view({"post": "reveal"}),
        name="person-identifier-reveal",
    ),
    path("api-keys/", api_keys.ApiKeyViewSet.as_view({"get": "list", "post": "create"}), name="api-keys"),
    path(
        "api-keys/<uuid:pk>/",
        api_keys.ApiKeyViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="api-key",
    ),
    path("api-keys/<uuid:pk>/rotate/", api_keys.ApiKeyViewSet.as_view({"post": "rotate"}), name="api-key-rotate"),
    path("auth/me/", auth.MeView.as_view(), name="auth-me"),
    path("roles/", RolesView.as_view(), name="role-list"),
]
