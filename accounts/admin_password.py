"""Changing one's own password on the administration pages, by the service that the API calls."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone

from accounts import services
from accounts.models import User
from core.errors import DomainError

NAMES = {"current_password": "old_password", "new_password": "new_password1"}  # pragma: allowlist secret


class OwnPasswordForm(AdminPasswordChangeForm):
    """The present password and twice the one to come; the service decides about both."""

    def clean_old_password(self) -> str:
        return str(self.cleaned_data["old_password"])

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not self.errors:
            self.user = User.objects.select_related("person").get(pk=self.user.pk)
            try:
                services.change_password(
                    self.user,
                    current_password=values["old_password"],
                    new_password=values["new_password1"],
                    at=timezone.now(),
                )
            except DomainError as refused:
                self.add_error(NAMES.get(refused.field), ValidationError(refused.detail, code=refused.error_code))
        return values

    def save(self, commit: bool = True) -> Any:
        return self.user


class OwnPasswordView(PasswordChangeView):
    """The page, in the frame of the administration."""

    form_class = OwnPasswordForm
    template_name = "registration/password_change_form.html"
    success_url = reverse_lazy("admin:password_change_done")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request)}

    def form_valid(self, form: Any) -> HttpResponse:
        self.request.current_app = admin.site.name  # which Django's templates read
        return super().form_valid(form)
