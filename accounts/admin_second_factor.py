"""Setting up an authenticator app on the administration pages, by the services that the API calls.

Whoever has logged in with a password alone, while a role of theirs needs a second factor, is led here from every other
page. What is shown of the secret and of the recovery codes stands in the answer and is kept with no session.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.generic import TemplateView

from accounts import means, services
from accounts.backends import MEANS
from accounts.models import FactorKind, SecondFactor, User
from core.errors import DomainError

GROUP = 4


class BeginForm(forms.Form):
    """The password of whoever sets up an app."""

    password = forms.CharField(
        strip=False, max_length=1000, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class ConfirmForm(forms.Form):
    """What the app shows."""

    code = forms.CharField(
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text="The six digits that the app shows now.",
    )
    name = forms.CharField(max_length=80, required=False, help_text="What you call it, such as: Telephone.")


class SecondFactorView(TemplateView):
    """One page in three states: the password is asked for, the app is told its secret, its first code lets it count."""

    template_name = "admin/accounts/user/second_factor.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request.user, "must_change_password", False):
            return redirect("admin:password_change")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        has_app = SecondFactor.objects.confirmed().filter(user=self.request.user.pk, kind=FactorKind.APP).exists()
        return {
            **super().get_context_data(**kwargs),
            **admin.site.each_context(self.request),
            "title": "Second factor",
            "has_app": has_app,
            "is_demanded": means.is_demanded_of(self.request.user),
        }

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.shown(form=BeginForm())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = ConfirmForm(request.POST) if "code" in request.POST else BeginForm(request.POST)
        if not form.is_valid():
            return self.shown(form=form)
        caller: Any = request.user
        user = User.objects.for_api().get(pk=caller.pk)
        try:
            if isinstance(form, ConfirmForm):
                return self.confirmed(user, form.cleaned_data)
            begun = services.begin_app(user, **form.cleaned_data, session_id=None, at=timezone.now())
        except DomainError as refused:
            form.add_error(refused.field if refused.field in form.fields else None, refused.detail)
            return self.shown(form=form)
        grouped = " ".join(begun.secret[at : at + GROUP] for at in range(0, len(begun.secret), GROUP))
        return self.shown(form=ConfirmForm(), secret=grouped, uri=begun.uri)

    def confirmed(self, user: User, said: dict[str, Any]) -> HttpResponse:
        """Let the app count, go on with this log-in, which its change has outdated with all others, and tell codes."""
        enrolled = services.confirm_app(user, **said, session_id=None, at=timezone.now())
        session = self.request.session
        session[MEANS] = [*session.get(MEANS, ()), *enrolled.amr]
        update_session_auth_hash(self.request, user)
        return self.shown(is_done=True, recovery_codes=enrolled.recovery_codes)

    def shown(self, **context: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**context))
