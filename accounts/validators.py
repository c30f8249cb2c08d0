"""The rules for passwords as Django's own forms ask for them."""

from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.services.password_rules import SHORTEST, require_acceptable, words_about
from core.errors import InvalidError


class PasswordRules:
    """Applies what `accounts.services.password_rules` says."""

    def validate(self, password: str, user: User | None = None) -> None:
        try:
            require_acceptable(password, about=words_about(user.email, user.person) if user else ())
        except InvalidError as refused:
            raise ValidationError(refused.detail, code=refused.error_code) from refused

    def get_help_text(self) -> str:
        return f"At least {SHORTEST} characters, none of them prescribed: a few words that nobody expects together."
