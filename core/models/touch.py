"""What was written and whose generations have yet to be raised, and how long readers may trust those there are."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from core.models.base import BaseQuerySet


class Touch(models.Model):
    """A statement that changed rows of some tags; forgotten as soon as their generations have been raised.

    `commit` names the transaction for whoever wrote in it, who raises the generations; empty for one that nobody
    follows. A row is there once its transaction has committed, so nothing that was written is ever missed.
    """

    id = models.BigAutoField(primary_key=True)
    commit = models.UUIDField(null=True, editable=False)
    tags = ArrayField(models.CharField(max_length=200))
    touched_at = models.DateTimeField(db_default=Now())

    objects = BaseQuerySet["Touch"].as_manager()

    class Meta:
        verbose_name_plural = "touches"
        indexes = [models.Index(fields=["commit"], name="core_touch_commit")]

    def __str__(self) -> str:
        return ", ".join(self.tags)


class Lease(models.Model):
    """Until when readers may trust the generations, by the database's clock; there is one row at most."""

    id = models.BooleanField(primary_key=True, default=True)
    until = models.DateTimeField()

    objects = BaseQuerySet["Lease"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(id=True),
                name="core_lease_only_one",
                violation_error_code="only_one_lease",
                violation_error_message="There is one lease.",
            ),
        ]

    def __str__(self) -> str:
        return f"until {self.until:%H:%M:%S.%f}"
