"""A parent and its items: every type of column that lists order, filter and search by."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, CustomizableModel, VersionedModel, custom_data_index
from core.search import search_indexes, search_text
from core.security.fields import BlindIndexField, EncryptedTextField


class Kind(models.TextChoices):
    PLAIN = "plain", "Plain"
    FANCY = "fancy", "Fancy"
    RARE = "rare", "Rare"


class Parent(VersionedModel):
    """What items may belong to."""

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    search_text = search_text("code", "name")

    search_paths: ClassVar = ("search_text",)

    objects = BaseQuerySet["Parent"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code"],
                name="testapp_parent_unique_code",
                violation_error_code="code_taken",
                violation_error_message="Another parent has this code.",
            )
        ]
        indexes = [*search_indexes("testapp_parent")]

    def __str__(self) -> str:
        return self.code


class Item(CustomizableModel):
    """A row with a nullable column of every type."""

    parent = models.ForeignKey(Parent, on_delete=models.PROTECT, null=True, blank=True, related_name="items")
    name = models.CharField(max_length=200)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    happened_on = models.DateField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    flag = models.BooleanField(default=False)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PLAIN)
    rank = models.IntegerField(null=True, blank=True)
    search_text = search_text("name")

    search_paths: ClassVar = ("search_text", "parent__search_text")

    objects = BaseQuerySet["Item"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=Kind.values),
                name="testapp_item_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="There is no such kind.",
            ),
        ]
        indexes = [
            *search_indexes("testapp_item", custom_fields=True),
            custom_data_index("testapp_item"),
            models.Index(fields=["name", "id"], name="testapp_item_by_name"),
            models.Index(F("created_at").desc(), F("id").desc(), name="testapp_item_latest"),
            models.Index(fields=["rank", "id"], name="testapp_item_by_rank"),
        ]

    def __str__(self) -> str:
        return self.name


class Locker(VersionedModel):
    """A row with encrypted columns, one of which can be found by its value."""

    label = models.CharField(max_length=40, blank=True)
    secret = EncryptedTextField(max_length=64)
    secret_index = BlindIndexField(of="secret")
    note = EncryptedTextField(max_length=2000, null=True, blank=True)

    objects = BaseQuerySet["Locker"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["secret_index"],
                name="testapp_locker_unique_secret",
                violation_error_code="secret_taken",
                violation_error_message="Another locker has this secret.",
            )
        ]

    def __str__(self) -> str:
        return self.label
