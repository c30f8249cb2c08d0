"""The log-in of the administration pages: a password, and the second factor of whoever has one.

Nobody is let in by these pages more easily than by the API: the same services count the guesses and ask for the same.
Whoever has no factor although a role needs one comes as far as the page that sets one up.
"""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import means, services
from accounts.backends import DOOR

NO_CODE = "Enter the password and a code of your authenticator app, or a recovery code."
WRONG_CODE = "The code is not right, or too many were tried."


class SecondFactorLogInForm(AdminAuthenticationForm):
    """An address, a password, and the code of accounts that have a second factor."""

    code = forms.CharField(
        required=False,
        max_length=64,
        label="Code",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
        help_text="Of your authenticator app, or a recovery code; empty if the account has neither.",
    )

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        user.shown_means = [means.PASSWORD]
        if not services.kinds_of(user):
            return
        code = self.cleaned_data.get("code") or ""
        if not code:
            raise ValidationError(NO_CODE, code="invalid_login")
        try:
            shown = services.show_code(user, code, door=DOOR, at=timezone.now())
        except services.WrongCodeError as refused:
            raise ValidationError(WRONG_CODE, code="invalid_login") from refused
        user.shown_means.append(shown)
