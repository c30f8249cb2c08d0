"""What every row in the system has: a time-ordered identity and two audit times."""

from typing import Any, Self, TypeVar

from django.db import models
from django.db.models.functions import Now

from core.ids import new_id

ModelT_co = TypeVar("ModelT_co", bound=models.Model, covariant=True)


class BaseQuerySet(models.QuerySet[ModelT_co]):
    """The base of every queryset: bulk updates keep `updated_at` honest, reads load what they show."""

    def update(self, **values: Any) -> int:
        if any(field.name == "updated_at" for field in self.model._meta.concrete_fields):
            values = {"updated_at": Now(), **values}
        return super().update(**values)

    def for_api(self) -> Self:
        """Load exactly what the resource's serializers read, in as few queries as possible."""
        return self


class TimeStampedUUIDModel(models.Model):
    """Identity and audit times. Audit times never carry business meaning."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_default=Now())
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        abstract = True


class VersionedModel(TimeStampedUUIDModel):
    """A mutable aggregate: `version` counts its changes and is what `ETag` and `If-Match` compare."""

    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)

    class Meta:
        abstract = True
