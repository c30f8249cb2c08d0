"""HTTP for students and their programs: translate, call one service, represent."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.services.parts import lock_persons
from core.api.bulk import BulkViewSet, ids_at
from core.api.nested import NestedListViewSet
from core.crud import Crud
from core.recording import Disclosure
from core.visibility import visible
from students import services
from students.api import filters, serializers
from students.models import ProgramEnrollment, ProgramEnrollmentEvent, Student, StudentStatusEvent
from students.services.bulk import remove_students


class StudentViewSet(BulkViewSet[Student]):
    """Students, with the person each of them is and the program they count to."""

    queryset = Student.objects.all()
    discloses = Disclosure("student record", "person_id")
    list_serializer_class = serializers.StudentSerializer
    detail_serializer_class = serializers.StudentDetailSerializer
    write_serializer_class = serializers.StudentWriter
    write_serializers = {
        "create": serializers.NewStudentWriter,
        "bulk_create": serializers.NewStudentWriter,
        "change_status": serializers.ChangeStatusWriter,
    }
    filterset_class = filters.StudentFilter
    ordering_fields = {
        "student_no": "student_no",
        "last_name": "person__last_name",
        "admitted_on": "admitted_on",
        "created_at": "created_at",
    }
    default_ordering = ("student_no",)
    searchable = True
    repeats = True
    action_permissions = {"change_status": "students.change_student"}
    read_along = ("person",)
    crud = Crud(
        create=services.create_student,
        update=services.update_student,
        delete=services.delete_student,
        delete_all=remove_students,
    )

    def lock_behind(self, rows: QuerySet[Student], bodies: Sequence[Mapping[str, Any]]) -> None:
        lock_persons(rows.values_list("person_id", flat=True))

    @action(detail=True, methods=["post"], url_path="change-status")
    def change_status(self, request: Request, pk: str) -> Response:
        """Move the student to another status; the primary program goes along."""
        return self.step(request, services.change_status)


class StatusHistoryViewSet(NestedListViewSet[StudentStatusEvent]):
    """The steps of a student's standing with the university."""

    queryset = StudentStatusEvent.objects.all()
    discloses = Disclosure("student history", "student.person_id")
    parent_field = "student"
    list_serializer_class = serializers.StudentStatusEventSerializer
    filterset_class = filters.StatusHistoryFilter
    ordering_fields = {"happened_at": "happened_at"}
    default_ordering = ("happened_at",)


class ProgramsOfStudentViewSet(NestedListViewSet[ProgramEnrollment]):
    """The programs a student is or was enrolled in."""

    queryset = ProgramEnrollment.objects.all()
    discloses = Disclosure("program enrollment", "student.person_id")
    parent_field = "student"
    list_serializer_class = serializers.ProgramEnrollmentSerializer
    filterset_class = filters.ProgramsOfStudentFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("created_at",)


class ProgramEnrollmentViewSet(BulkViewSet[ProgramEnrollment]):
    """Which student is enrolled in which program, and how they stand in it."""

    queryset = ProgramEnrollment.objects.all()
    discloses = Disclosure("program enrollment", "student.person_id")
    list_serializer_class = serializers.ProgramEnrollmentSerializer
    write_serializer_class = serializers.ProgramEnrollmentWriter
    write_serializers = {
        "create": serializers.NewProgramEnrollmentWriter,
        "bulk_create": serializers.NewProgramEnrollmentWriter,
        "change_status": serializers.ChangeProgramStatusWriter,
    }
    filterset_class = filters.ProgramEnrollmentFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = {"change_status": "students.change_programenrollment"}
    crud = Crud(
        create=services.enrol_in_program,
        update=services.update_program_enrollment,
        delete=services.delete_program_enrollment,
    )

    def lock_ahead(self, rows: QuerySet[ProgramEnrollment], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock the students whose programs these are, and are to be."""
        named = Student.objects.filter(pk__in=list(ids_at(bodies, "student")))
        students = {
            *rows.values_list("student_id", flat=True),
            *visible(named, self.actor).values_list("pk", flat=True),
        }
        services.lock_students(students)

    @action(detail=True, methods=["post"], url_path="change-status")
    def change_status(self, request: Request, pk: str) -> Response:
        """Move the program enrolment to another status."""
        return self.step(request, services.change_program_status)


class ProgramHistoryViewSet(NestedListViewSet[ProgramEnrollmentEvent]):
    """The steps of a student's standing in one program."""

    queryset = ProgramEnrollmentEvent.objects.all()
    discloses = Disclosure("program history", "program_enrollment.student.person_id")
    parent_field = "program_enrollment"
    list_serializer_class = serializers.ProgramEnrollmentEventSerializer
    filterset_class = filters.ProgramHistoryFilter
    ordering_fields = {"happened_at": "happened_at"}
    default_ordering = ("happened_at",)
