"""HTTP for decisions about who may sit an examination by attendance: read, made, and condonations granted."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attendance import services
from attendance.api import eligibility_serializers as serializers
from attendance.models import EligibilityDecision, Standing
from attendance.narrowing import EligibilityDecisionFilter
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.errors import InvalidError, OutOfScopeError
from core.recording import Disclosure
from core.visibility import visible
from courses.models import Section

DECIDE = "attendance.decide_eligibilitydecision"


class NoSectionsError(InvalidError):
    """The course is not taught in the term."""

    code = "no_sections"
    title = "The course has no section in this term."
    field = "course"


class EligibilityDecisionViewSet(UnifiedViewSet[EligibilityDecision]):
    """Who may sit an examination by attendance, by which numbers, and whose shortage was condoned; the latest first.

    What was decided before stays on record. Reason and note are shown to the student and those who decide, and null to
    others.
    """

    queryset = EligibilityDecision.objects.all()
    crud = Crud()
    discloses = Disclosure("attendance", "enrollment.student.person_id")
    list_serializer_class = serializers.EligibilityDecisionSerializer
    write_serializers = {
        "decide": serializers.DecideWriter,
        "condone": serializers.CondoneWriter,
        "withdraw": serializers.WithdrawWriter,
    }
    filterset_class = EligibilityDecisionFilter
    ordering_fields = {"decided_at": "decided_at"}
    default_ordering = ("-decided_at",)
    searchable = True
    action_permissions = dict.fromkeys(("decide", "condone", "withdraw"), DECIDE)

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        return serializers.DecidedSerializer if self.action == "decide" else super().get_response_serializer()

    def lock_ahead(self, rows: QuerySet[EligibilityDecision], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Hold the enrolments, as whoever decides about all of a section does."""
        services.hold_enrollments(rows.values("enrollment"))

    @action(detail=False, methods=["post"])
    def decide(self, request: Request) -> Response:
        """Decide of all students of a section, or of a course in a term, by what they attended until now.

        Where nothing has changed the former decision stays.
        """
        with transaction.atomic():
            sections = self._sections(self.validated(request.data))
            decided = services.decide_eligibility(sections, by=self.actor, at=timezone.now())
            return Response(serializers.DecidedSerializer(decided).data)

    @action(detail=True, methods=["post"])
    def condone(self, request: Request, pk: str) -> Response:
        """Admit a student who falls short all the same, for a reason; the answer is the decision that says so."""
        return self.step(request, services.condone_shortage)

    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a condonation back, for a reason; the answer is the decision that stands instead."""
        return self.step(request, services.withdraw_condonation)

    def _sections(self, given: Mapping[str, Any]) -> list[UUID]:
        """Return the sections that are meant, in each of which the caller decides about everybody."""
        if "section" in given:
            sections = [given["section"].pk]
        else:
            sections = list(Section.objects.filter(**given).order_by("pk").values_list("pk", flat=True))
        if not sections:
            raise NoSectionsError
        rows = Standing.objects.filter(section__in=sections)
        if rows.exclude(pk__in=visible(rows, self.actor, to="manage").values("pk")).exists():
            raise OutOfScopeError
        return sections
