"""HTTP for substitutions: proposed by teachers and those in charge, answered by whoever is asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import services
from attendance.api import filters
from attendance.api import substitution_serializers as serializers
from attendance.models import Substitution, SubstitutionEvent, SubstitutionOffer
from core.api.nested import NestedListViewSet
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud


def _propose(**values: Any) -> Substitution:
    return services.propose_substitution(at=timezone.now(), **values)


def _lock_gatherings(rows: models.QuerySet[Substitution]) -> None:
    services.lock_gatherings(rows.values_list("session__gathering", flat=True))


class SubstitutionViewSet(UnifiedViewSet[Substitution]):
    """Who was asked to teach which class in the place of its teacher, and what they said."""

    queryset = Substitution.objects.all()
    crud = Crud(create=_propose)
    list_serializer_class = serializers.SubstitutionSerializer
    write_serializer_class = serializers.SubstitutionWriter
    write_serializers = {"withdraw": serializers.AnswerWriter, "revoke": serializers.RefusalWriter}
    filterset_class = filters.SubstitutionFilter
    ordering_fields = {"starts_at": "session__starts_at", "created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = dict.fromkeys(("withdraw", "revoke"), "attendance.change_substitution")

    def lock_ahead(self, rows: models.QuerySet[Substitution], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock what gathers with the session."""
        _lock_gatherings(rows)

    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Ask no longer."""
        return self.step(request, services.withdraw_substitution)

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Let the teacher teach the class after all."""
        return self.step(request, services.revoke_substitution)


class SubstitutionOfferViewSet(UnifiedViewSet[Substitution]):
    """The answers of those who are asked to substitute."""

    queryset = SubstitutionOffer.objects.all()
    crud = Crud()
    list_serializer_class = serializers.SubstitutionSerializer
    write_serializers = {"accept": serializers.AnswerWriter, "decline": serializers.RefusalWriter}
    action_permissions = dict.fromkeys(("accept", "decline"), "attendance.change_substitutionoffer")

    def lock_ahead(self, rows: models.QuerySet[Substitution], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock what gathers with the session."""
        _lock_gatherings(rows)

    def accept(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Teach the class."""
        return self.step(request, services.accept_substitution)

    def decline(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Do not teach the class."""
        return self.step(request, services.decline_substitution)


class SubstitutionEventViewSet(NestedListViewSet[SubstitutionEvent]):
    """The steps of a substitution from one status to another, the latest first."""

    queryset = SubstitutionEvent.objects.all()
    parent_field = "substitution"
    list_serializer_class = serializers.SubstitutionEventSerializer
    ordering_fields = {"happened_at": "happened_at"}
    default_ordering = ("-happened_at",)
