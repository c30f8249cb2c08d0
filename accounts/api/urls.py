"""Where accounts answer."""

from django.urls import path

from accounts.api import auth
from accounts.api.views import RoleAssignmentViewSet, RolesView, UserViewSet

routes = [
    ("users", UserViewSet, "user"),
    ("role-assignments", RoleAssignmentViewSet, "role-assignment"),
]

urlpatterns = [
    path("auth/token/", auth.LogInView.as_view(), name="auth-token"),
    path("auth/token/refresh/", auth.RefreshView.as_view(), name="auth-refresh"),
    path("auth/token/verify/", auth.VerifyView.as_view(), name="auth-verify"),
    path("auth/logout/", auth.LogOutView.as_view(), name="auth-logout"),
    path("auth/me/", auth.MeView.as_view(), name="auth-me"),
    path("roles/", RolesView.as_view(), name="role-list"),
]
