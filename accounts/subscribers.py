"""What accounts hear of the administration pages, whose log-in is Django's own."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver

from accounts.models import User
from audit.services import record

PAGES = {"means": ["pwd"], "of": "administration"}


@receiver(user_logged_in)
def keep_log_in(user: User, **facts: Any) -> None:
    record(action="session.opened", actor=user, subject=user, detail=PAGES)


@receiver(user_logged_out)
def keep_log_out(user: User | None, **facts: Any) -> None:
    if user is not None:
        record(action="session.ended", actor=user, subject=user, detail=PAGES)
