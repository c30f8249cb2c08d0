"""The shared models; apps import them from here."""

from core.models.base import BaseQuerySet, TimeStampedUUIDModel, VersionedModel
from core.models.chore import Chore
from core.models.custom_field import (
    CustomField,
    CustomFieldType,
    CustomizableModel,
    UniqueCustomValue,
    custom_data_index,
)
from core.models.idempotency import IdempotencyKey
from core.models.outbox import OutboxEvent
from core.models.prepared import PreparedFile, PreparedFileQuerySet, PreparedState
from core.models.touch import Lease, Touch

__all__ = [
    "BaseQuerySet",
    "Chore",
    "CustomField",
    "CustomFieldType",
    "CustomizableModel",
    "IdempotencyKey",
    "Lease",
    "OutboxEvent",
    "PreparedFile",
    "PreparedFileQuerySet",
    "PreparedState",
    "TimeStampedUUIDModel",
    "Touch",
    "UniqueCustomValue",
    "VersionedModel",
    "custom_data_index",
]
