"""Administration pages for the keys of programs."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from accounts import services
from accounts.api_keys import permissions_for_keys
from accounts.models import ApiKey
from accounts.roles import Role, permissions_of
from core.admin import ServiceAdmin
from core.admin_history import row_action
from core.crud import Crud
from core.errors import DomainError
from core.visibility import visible

SCOPES = (
    "Permissions, separated by commas: what the key opens, as long as a role of its account gives it. A key that was "
    "handed out can be narrowed, not widened. The role integration gives "
    f"{', '.join(sorted(permissions_for_keys() & permissions_of(Role.INTEGRATION)))}."
)


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """What a key opens, for whom, from where and until when; lists are separated by commas."""

    class Meta:
        model = ApiKey
        fields = ["user", "name", "scopes", "ip_networks", "expires_at"]
        widgets = {"scopes": forms.Textarea(attrs={"rows": 3, "cols": 80})}
        help_texts = {
            "user": "The account of a program, whose roles bound what the key opens.",
            "scopes": SCOPES,
            "ip_networks": "Where it may be used from, such as 192.0.2.0/24; empty for everywhere.",
            "expires_at": "A key that was handed out can expire sooner, not later.",
        }


class RotateForm(forms.Form):
    """For how long a key stays good beside its successor."""

    overlap_seconds = forms.IntegerField(
        label="Overlap",
        min_value=0,
        max_value=int(settings.API_KEY_LONGEST_OVERLAP.total_seconds()),
        help_text="For how many seconds the former key stays good; 86400 are a day.",
        initial=lambda: int(settings.API_KEY_OVERLAP.total_seconds()),
    )


@admin.register(ApiKey)
class ApiKeyAdmin(ServiceAdmin):
    form = ApiKeyForm
    # A key that was revoked stays on record, so no page deletes one.
    crud = Crud(create=services.create_api_key, update=services.update_api_key)
    list_display = ("name", "user", "prefix", "last_used_at", "last_used_ip", "expires_at", "revoked_at")
    list_select_related = ("user", "created_by", "use")
    search_fields = ("name", "prefix", "user__email")
    autocomplete_fields = ("user",)
    readonly_fields = (
        "prefix", "last_used_at", "last_used_ip", "last_refused_at", "last_refused_ip", "revoked_at", "created_by",
        "replaces", *ServiceAdmin.readonly_fields,
    )  # fmt: skip
    change_form_template = "admin/accounts/apikey/change_form.html"
    actions = (row_action("revoke", "Revoke the selected keys", services.revoke_api_key),)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj is not None else ApiKeyForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is None else ("user", *self.readonly_fields)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._page(request, "told", obj)

    def get_urls(self) -> list[Any]:
        rotate = self.admin_site.admin_view(self.rotate_view)
        return [path("<uuid:pk>/rotate/", rotate, name="accounts_apikey_rotate"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        offered = {"rotates": self.has_add_permission(request), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, offered)

    def rotate_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask for how long the key is to live on, and make its successor."""
        key = visible(self.get_queryset(request), request.user, to="manage").filter(pk=pk).first()
        if key is None or not self.has_add_permission(request):
            raise PermissionDenied
        form = RotateForm(request.POST or None)
        if form.is_valid():
            try:
                return self._page(request, "told", self._rotated(request, key, form.cleaned_data))
            except DomainError as refused:
                form.add_error(refused.field if refused.field in form.fields else None, refused.detail)
        return self._page(request, "rotate", key, form=form)

    @transaction.atomic
    def _rotated(self, request: HttpRequest, key: ApiKey, values: dict[str, Any]) -> ApiKey:
        actor: Any = request.user
        locked = ApiKey.objects.select_related("user").select_for_update(of=("self",), no_key=True).get(pk=key.pk)
        successor = services.rotate_api_key(locked, by=actor, at=timezone.now(), **values)
        self.log_addition(request, successor, [{"added": {}}])
        return successor

    def _page(self, request: HttpRequest, name: str, key: ApiKey, **context: Any) -> HttpResponse:
        """Show a key, or what is asked about it. A key is told in the answer: a message is kept with the session."""
        common = {**self.admin_site.each_context(request), "title": str(key), "opts": self.opts, "key": key}
        return TemplateResponse(request, f"admin/accounts/apikey/{name}.html", {**common, **context})

    @admin.display(ordering="use__last_used_at")
    def last_used_at(self, key: ApiKey) -> Any:
        return key.use.last_used_at

    @admin.display
    def last_used_ip(self, key: ApiKey) -> Any:
        return key.use.last_used_ip

    @admin.display
    def last_refused_at(self, key: ApiKey) -> Any:
        return key.use.last_refused_at

    @admin.display
    def last_refused_ip(self, key: ApiKey) -> Any:
        return key.use.last_refused_ip
