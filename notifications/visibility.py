"""Sight of notifications: everybody's own and nobody else's, whatever role they hold.

Endpoints of programs are everybody's own as well; those who answer for the whole system see and manage all of them.
"""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from core.visibility import grants
from notifications.models import Notification, Preference, QuietHours, WebhookDelivery, WebhookEndpoint

VIEW_ALL, MANAGE_ALL = "notifications.view_every_webhook", "notifications.manage_every_webhook"


@grants(Notification, "manage")
def everybody_sees_what_they_were_told(actor: Any) -> Q | None:
    return Q(recipient=actor.pk, is_listed=True)


@grants(Preference)
def everybody_sees_what_they_chose_to_be_told(actor: Any) -> Q | None:
    return Q(user=actor.pk)


@grants(QuietHours)
def everybody_sees_their_own_quiet_hours(actor: Any) -> Q | None:
    return Q(user=actor.pk)


@grants(WebhookEndpoint, "manage")
def everybody_manages_their_own_webhooks(actor: Any) -> Q | None:
    return Q(owner=actor.pk)


@grants(WebhookEndpoint)
def auditors_see_every_webhook(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, VIEW_ALL).everywhere else None


@grants(WebhookEndpoint, "manage")
def administrators_manage_every_webhook(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, MANAGE_ALL).everywhere else None


@grants(WebhookDelivery, "manage")
def everybody_sees_what_their_webhooks_were_told(actor: Any) -> Q | None:
    return Q(endpoint__in=WebhookEndpoint.objects.filter(owner=actor.pk).values("pk"))


@grants(WebhookDelivery)
def auditors_see_what_every_webhook_was_told(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, VIEW_ALL).everywhere else None


@grants(WebhookDelivery, "manage")
def administrators_replay_what_every_webhook_was_told(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, MANAGE_ALL).everywhere else None
