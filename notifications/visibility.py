"""Sight of notifications: everybody's own and nobody else's, whatever role they hold."""

from typing import Any

from django.db.models import Q

from core.visibility import grants
from notifications.models import Notification, Preference, QuietHours


@grants(Notification, "manage")
def everybody_sees_what_they_were_told(actor: Any) -> Q | None:
    return Q(recipient=actor.pk, is_listed=True)


@grants(Preference)
def everybody_sees_what_they_chose_to_be_told(actor: Any) -> Q | None:
    return Q(user=actor.pk)


@grants(QuietHours)
def everybody_sees_their_own_quiet_hours(actor: Any) -> Q | None:
    return Q(user=actor.pk)
