"""Administration pages for accounts and roles."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts import (
    admin_api_keys,  # noqa: F401 - registers its pages
    services,
)
from accounts.models import Person, PersonIdentifier, RoleAssignment, User
from core.admin import ServiceAdmin
from core.crud import Crud
from core.recording import Disclosure

# Permissions come from the roles in `accounts.roles`; Django's groups play no part.
admin.site.unregister(Group)


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """An account, and optionally a new password for it."""

    password = forms.CharField(
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Leave empty to keep the present one. At least 15 characters.",
    )

    class Meta:
        model = User
        fields = ["email", "person", "is_active", "is_staff", "is_service", "must_change_password", "password"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # The stored hash is no password: an empty field is an unchanged one.
        self.initial["password"] = ""


@admin.register(User)
class UserAdmin(ServiceAdmin):
    discloses = Disclosure("account", "person_id")
    form = UserForm
    crud = Crud(create=services.create_user, update=services.update_user, delete=services.deactivate_user)
    list_display = ("email", "person", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_service")
    list_select_related = ("person",)
    search_fields = ("email", "person__search_text")
    autocomplete_fields = ("person",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is None else ("is_service", *self.readonly_fields)


@admin.register(Person)
class PersonAdmin(ServiceAdmin):
    discloses = Disclosure("person", "id")
    crud = Crud(create=services.create_person, update=services.update_person, delete=services.delete_person)
    list_display = ("name", "email", "birth_date")
    search_fields = ("search_text",)
    exclude = ("merged_into",)


class AssignmentForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A role, where it holds and from when until when."""

    valid_from = forms.DateTimeField(required=False, help_text="Empty: from now.")
    valid_until = forms.DateTimeField(required=False, help_text="Empty: for good.")

    class Meta:
        model = RoleAssignment
        fields = ["user", "role", "scope_kind", "scope_id"]


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(ServiceAdmin):
    form = AssignmentForm
    # An assignment that was given stays as it was; what changes is when it ends.
    crud = Crud(create=services.assign_role, delete=services.end_assignment)
    service_arguments = frozenset({"valid_from", "valid_until"})
    list_display = ("user", "role", "scope_kind", "scope_id", "valid", "granted_by")
    list_filter = ("role", "scope_kind")
    list_select_related = ("user", "granted_by")
    search_fields = ("user__email",)
    autocomplete_fields = ("user",)
    readonly_fields = ("granted_by", *ServiceAdmin.readonly_fields)


class IdentifierForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """An identifier, and optionally another value for it; the present one is not shown."""

    value = forms.CharField(
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Leave empty to keep the present one.",
    )

    class Meta:
        model = PersonIdentifier
        fields = ["person", "scheme", "country", "value"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["value"].required = self.instance._state.adding
        self.initial["value"] = ""

    def _post_clean(self) -> None:
        """Leave what is on record as it is when nothing was entered."""
        if not self.cleaned_data.get("value"):
            self.cleaned_data.pop("value", None)
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, absent from the stubs


@admin.register(PersonIdentifier)
class PersonIdentifierAdmin(ServiceAdmin):
    discloses = Disclosure("person identifier", "person_id")
    form = IdentifierForm
    crud = Crud(create=services.create_identifier, update=services.update_identifier, delete=services.delete_identifier)
    list_display = ("person", "scheme", "country", "masked_value")
    list_filter = ("scheme",)
    list_select_related = ("person",)
    search_fields = ("person__search_text",)
    autocomplete_fields = ("person",)
    readonly_fields = ("masked_value", *ServiceAdmin.readonly_fields)
