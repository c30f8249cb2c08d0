"""Query parameters of the account resources."""

from accounts.models import RoleAssignment, User
from accounts.roles import Role, ScopeKind
from core.api import filters


class UserFilter(filters.StrictFilterSet):
    email = filters.CharFilter(method="addressed")
    role = filters.ChoiceFilter(choices=Role.choices, method="holding", help_text="Those who hold the role now.")

    class Meta:
        model = User
        fields = ["email", "role", "is_active", "is_staff", "is_service"]

    def addressed(self, queryset, name, value):  # type: ignore[no-untyped-def]  # django-filter is untyped
        return queryset.addressed(value)

    def holding(self, queryset, name, value):  # type: ignore[no-untyped-def]  # django-filter is untyped
        return queryset.filter(pk__in=RoleAssignment.objects.current().filter(role=value).values("user"))


class RoleAssignmentFilter(filters.StrictFilterSet):
    user = filters.UUIDFilter(field_name="user_id")
    role = filters.ChoiceFilter(choices=Role.choices)
    scope_kind = filters.ChoiceFilter(choices=ScopeKind.choices)
    scope_id = filters.UUIDFilter()

    class Meta:
        model = RoleAssignment
        fields = ["user", "role", "scope_kind", "scope_id"]
