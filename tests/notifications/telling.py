"""Telling somebody something, for tests."""

from typing import Any

from django.utils import timezone

from core.ids import new_id
from notifications.services import notify
from tests.notifications.conftest import NEWS


def tell(*users: Any, **values: Any) -> int:
    """Tell accounts some news, or what is named, and return how many were told."""
    usual = {"topic": NEWS, "title": "There is news", "dedupe_key": str(new_id()), "at": timezone.now()}
    return notify(users=[user.pk for user in users], **{**usual, **values})
