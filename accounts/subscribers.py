"""What accounts hear of the administration pages, whose log-in is Django's own, of mails and of alerts."""

from typing import Any
from uuid import UUID

from celery import current_app
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import services
from accounts.backends import MEANS
from accounts.events import MailRequested, SessionReused
from accounts.models import User
from audit.events import AlertRaised
from audit.services import record
from core.events import subscribe

PAGES = {"of": "administration"}


@subscribe(MailRequested)
def let_a_worker_send(event: dict[str, Any]) -> None:
    current_app.send_task("accounts.tasks.send_mail", args=[event["mail_id"]])


@subscribe(AlertRaised)
def let_a_worker_mail_it(event: dict[str, Any]) -> None:
    current_app.send_task("accounts.tasks.mail_alert", args=[event["alert_id"]])


@subscribe(SessionReused)
def alert(event: dict[str, Any]) -> None:
    services.alert_reuse(UUID(event["user_id"]), session_id=UUID(event["session_id"]), at=timezone.now())


@receiver(user_logged_in)
def keep_log_in(user: User, request: HttpRequest, **facts: Any) -> None:
    shown = getattr(user, "shown_means", [])
    request.session[MEANS] = shown
    record(action="session.opened", actor=user, subject=user, detail={**PAGES, "means": shown})


@receiver(user_logged_out)
def keep_log_out(user: User | None, **facts: Any) -> None:
    if user is not None:
        record(action="session.ended", actor=user, subject=user, detail=PAGES)
