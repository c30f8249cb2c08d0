"""What is known of the recurring chores: when each last began, succeeded and failed."""

from django.db import models

from core.models.base import BaseQuerySet


class Chore(models.Model):
    """The last runs of one recurring chore, by the schedule or by hand; overwritten by the next."""

    name = models.CharField(max_length=100, primary_key=True, help_text="The name of its command and of its entry.")
    started_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(default=0, help_text="How many rows the last success dealt with.")
    failure = models.CharField(max_length=500, blank=True, help_text="What the last failure was.")

    objects = BaseQuerySet["Chore"].as_manager()

    def __str__(self) -> str:
        return self.name
