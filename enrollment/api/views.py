"""HTTP for enrolments: translate, call one service, represent."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from core.api.bulk import BulkViewSet, ids_at
from core.api.nested import NestedListViewSet
from core.crud import Crud
from core.errors import OutOfScopeError
from core.recording import Disclosure
from core.visibility import visible
from courses.models import Section
from enrollment import services
from enrollment.api import filters, serializers
from enrollment.models import LEFT, Enrollment, EnrollmentEvent, Source
from enrollment.selectors import CHANGE, may_administer, may_register
from students.models import Student

ENROLLMENTS = Disclosure("enrollment", "student.person_id")
ORDERING = {"enrolled_at": "enrolled_at", "created_at": "created_at"}


class EnrollmentViewSet(BulkViewSet[Enrollment]):
    """Students in sections. Deleting an enrolment drops it; it stays on record."""

    queryset = Enrollment.objects.all()
    discloses = ENROLLMENTS
    list_serializer_class = serializers.EnrollmentSerializer
    write_serializer_class = serializers.ChangeEnrollmentWriter
    write_serializers = {
        "create": serializers.EnrollWriter,
        "bulk_create": serializers.EnrollWriter,
        "preflight": serializers.PreflightWriter,
        "confirm": serializers.ReasonWriter,
        "withdraw": serializers.ReasonWriter,
        "cancel": serializers.ReasonWriter,
        "complete": serializers.CompleteWriter,
    }
    filterset_class = filters.EnrollmentFilter
    ordering_fields = ORDERING
    default_ordering = ("-created_at",)
    searchable = True
    repeats = True
    action_permissions = {
        "preflight": "enrollment.add_enrollment",
        "withdraw": "enrollment.delete_enrollment",
        "confirm": CHANGE,
        "cancel": CHANGE,
        "complete": CHANGE,
    }
    crud = Crud(
        create=partial(services.enroll, source=Source.API), update=services.update_enrollment, delete=services.drop
    )
    # What a student may do with an enrolment of their own; everything else takes somebody in charge of it.
    own_actions = frozenset({"destroy", "bulk_delete", "withdraw"})

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        return serializers.PreflightResponse if self.action == "preflight" else super().get_response_serializer()

    def lock_ahead(self, rows: QuerySet[Enrollment], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock the sections of the enrolments; of those that are to be, the students as well."""
        if self.action != "bulk_create":
            services.lock_sections_of(rows.values_list("pk", flat=True))
            return
        named = visible(Student.objects.filter(pk__in=list(ids_at(bodies, "student"))), self.actor)
        students = set(named.values_list("pk", flat=True))
        # Nobody holds up the queue of a section in the name of somebody they cannot see.
        wanted = [body for body in bodies if not students.isdisjoint(ids_at([body], "student"))]
        sections = visible(Section.objects.filter(pk__in=list(ids_at(wanted, "section"))), self.actor)
        services.lock_for_enrolling(student_ids=students, section_ids=sections.values_list("pk", flat=True))

    def locked_row(self) -> Enrollment:
        enrollment = super().locked_row()
        if self.action not in self.own_actions and not may_administer(
            self.actor, enrollment.student, enrollment.section
        ):
            raise OutOfScopeError
        return enrollment

    @action(detail=False, methods=["post"])
    def preflight(self, request: Request) -> Response:
        """Say everything that enrolling would be refused for, without doing it.

        The requisites of the course, the student's load and clashes of meetings are evaluated by neither.
        """
        asked = self.validated(request.data)
        if not may_register(self.actor, asked["student"], asked["section"]):
            raise OutOfScopeError
        refusals = [services.refusal_of(obstacle).as_dict() for obstacle in services.preflight(**asked)]
        return Response({"allowed": not refusals, "violations": refusals})

    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Let a pending enrolment count."""
        return self.step(request, services.confirm)

    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Leave the section so that the attempt stays on record."""
        return self.step(request, services.withdraw)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Take the enrolment back on the university's part."""
        return self.step(request, services.cancel)

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """End the enrolment at the end of its section."""
        return self.step(request, services.complete)


class RosterViewSet(NestedListViewSet[Enrollment]):
    """Who is in a section: everybody who has not dropped, in the order of their names."""

    queryset = Enrollment.objects.exclude(status__in=LEFT)
    discloses = ENROLLMENTS
    parent_field = "section"
    list_serializer_class = serializers.EnrollmentSerializer
    filterset_class = filters.RosterFilter
    ordering_fields = {
        "student_no": "student__student_no",
        "last_name": "student__person__last_name",
        "first_name": "student__person__called_name",
        **ORDERING,
    }
    default_ordering = ("last_name", "first_name")
    searchable = True


class StudentEnrollmentViewSet(NestedListViewSet[Enrollment]):
    """What a student takes and took."""

    queryset = Enrollment.objects.all()
    discloses = ENROLLMENTS
    parent_field = "student"
    list_serializer_class = serializers.EnrollmentSerializer
    filterset_class = filters.EnrollmentFilter
    ordering_fields = ORDERING
    default_ordering = ("-created_at",)


class EnrollmentEventViewSet(NestedListViewSet[EnrollmentEvent]):
    """The steps of an enrolment from one status to another, the latest first."""

    queryset = EnrollmentEvent.objects.all()
    discloses = Disclosure("enrollment history", "enrollment.student.person_id")
    parent_field = "enrollment"
    action_permissions = {"list": "enrollment.view_enrollment"}
    list_serializer_class = serializers.EnrollmentEventSerializer
    filterset_class = filters.EnrollmentEventFilter
    ordering_fields = {"happened_at": "happened_at"}
    default_ordering = ("-happened_at",)
