"""HTTP for accounts: users, roles and who holds them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api import serializers
from accounts.api.filters import RoleAssignmentFilter, UserFilter
from accounts.models import RoleAssignment, User
from accounts.roles import SCOPES, permissions_of
from core.api.bulk import BulkViewSet, ids_at
from core.api.permissions import AUTHENTICATED
from core.api.views import PlainView
from core.crud import Crud
from core.recording import Disclosure
from core.visibility import visible


class UserViewSet(BulkViewSet[User]):
    """Accounts: one's own, and every one for those who administer them."""

    queryset = User.objects.all()
    discloses = Disclosure("account", "person_id")
    list_serializer_class = serializers.UserSerializer
    write_serializer_class = serializers.UserWriter
    write_serializers = dict.fromkeys(("create", "bulk_create"), serializers.NewUserWriter)
    filterset_class = UserFilter
    ordering_fields = {"email": "email", "created_at": "created_at"}
    default_ordering = ("email",)
    crud = Crud(create=services.create_user, update=services.update_user, delete=services.deactivate_user)


class RoleAssignmentViewSet(BulkViewSet[RoleAssignment]):
    """Who holds which role, within which scope and until when."""

    queryset = RoleAssignment.objects.all()
    list_serializer_class = serializers.RoleAssignmentSerializer
    write_serializer_class = serializers.RoleAssignmentWriter
    filterset_class = RoleAssignmentFilter
    ordering_fields = {"role": "role", "created_at": "created_at"}
    default_ordering = ("-created_at",)
    crud = Crud(create=services.assign_role, update=services.update_assignment, delete=services.end_assignment)

    def lock_ahead(self, rows: QuerySet[RoleAssignment], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock the accounts whose tokens become outdated."""
        named = visible(User.objects.filter(pk__in=list(ids_at(bodies, "user"))), self.actor)
        services.lock_users({*rows.values_list("user_id", flat=True), *named.values_list("pk", flat=True)})


class RolesView(PlainView):
    """The roles of the university and what each permits."""

    required_permissions = {"get": AUTHENTICATED}

    @extend_schema(operation_id="roles_list", responses=serializers.RoleSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List every role with its permissions and scopes.

        Scopes are the kinds of scope that a role is held in, the usual one first.
        """
        roles = [
            {"code": role.value, "name": role.label, "permissions": sorted(permissions_of(role)), "scopes": scopes}
            for role, scopes in SCOPES.items()
        ]
        return Response(roles)
