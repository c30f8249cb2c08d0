"""That somebody is to be forgotten: asked for by one, decided by another."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Person
from core.models import BaseQuerySet, VersionedModel


class ErasureState(models.TextChoices):
    REQUESTED = "requested", "Requested"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


OPEN = (ErasureState.REQUESTED, ErasureState.APPROVED)


class ErasureRequestQuerySet(BaseQuerySet["ErasureRequest"]):
    def for_api(self) -> Self:
        return self.select_related("person", "requested_by", "decided_by")


class ErasureRequest(VersionedModel):
    """That somebody asked for a person to be erased, who decided on it, and what was erased."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="erasures")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True, help_text="Needed for somebody else.")
    state = models.CharField(max_length=9, choices=ErasureState, default=ErasureState.REQUESTED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=64, blank=True, help_text="The code of what stood in the way.")
    counts = models.JSONField(default=dict, blank=True, help_text="How many rows were concerned, by table.")

    objects = ErasureRequestQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["created_at", "id"], name="privacy_erasure_latest"),
            models.Index(fields=["requested_by", "created_at"], name="privacy_erasure_by_requester"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(state__in=OPEN),
                name="privacy_erasurerequest_one_open",
                violation_error_code="erasure_requested",
                violation_error_message="The erasure of this person has been asked for already.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ErasureState.values),
                name="privacy_erasurerequest_state_known",
                violation_error_code="invalid_choice",
                violation_error_message="The state of an erasure is not one of the known ones.",
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=F("requested_by")),
                name="privacy_erasurerequest_two_people",
                violation_error_code="self_approval",
                violation_error_message="Whoever asked for an erasure does not decide on it.",
            ),
            models.CheckConstraint(
                condition=~Q(state=ErasureState.DONE) | Q(erased_at__isnull=False),
                name="privacy_erasurerequest_done_at",
                violation_error_code="invalid",
                violation_error_message="An erasure that is done was done at some time.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.state}"
