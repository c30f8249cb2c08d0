"""Administration pages for the keys of programs."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts import services
from accounts.models import ApiKey
from core.admin import ServiceAdmin
from core.admin_history import row_action
from core.crud import Crud


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """What a key opens, for whom, from where and until when; lists are separated by commas."""

    class Meta:
        model = ApiKey
        fields = ["user", "name", "scopes", "ip_networks", "expires_at"]


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
    actions = (row_action("revoke", "Revoke the selected keys", services.revoke_api_key),)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj is not None else ApiKeyForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj is None else ("user", *self.readonly_fields)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Tell the key on the page that answers: a message would be kept with the session."""
        context = {**self.admin_site.each_context(request), "title": str(obj), "opts": self.opts, "key": obj}
        return TemplateResponse(request, "admin/accounts/apikey/told.html", context)

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
