"""HTTP for deciding about a whole term: asked for, and looked at while a worker is at it."""

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from attendance import services
from attendance.api.serializers import CourseOfSession
from attendance.models import DecisionRun, RunState
from core.api import filters
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseListSerializer, WriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from courses.models import Course
from departments.api.serializers import DepartmentBrief
from departments.models import Department, Term
from enrollment.api.serializers import EnrolledTerm

COUNTS = ["eligible", "short", "condoned", "not_eligible", "made", "unchanged", "unmarked"]


class DecisionRunSerializer(BaseListSerializer[DecisionRun]):
    """How far a run has come, and what has been decided in the sections that are done."""

    term = EnrolledTerm()
    department = DepartmentBrief(allow_null=True)
    course = CourseOfSession(allow_null=True)
    requested_by = UserBrief(allow_null=True)

    class Meta:
        model = DecisionRun
        fields = [
            "id", "term", "department", "course", "is_dry_run", "state", "failure", "sections_total", "sections_done",
            "sections_left_out", *COUNTS, "requested_by", "created_at", "updated_at", "finished_at",
        ]  # fmt: skip


class DecisionRunWriter(WriteSerializer):
    """A term, and a department (with all below it) or a course in it."""

    request_example: ClassVar = {"term": "01955500-0000-7000-8000-000000000001", "is_dry_run": True}

    term = VisibleRelatedField(queryset=Term.objects.all())
    department = VisibleRelatedField(queryset=Department.objects.all(), required=False, allow_null=True)
    course = VisibleRelatedField(queryset=Course.objects.all(), required=False, allow_null=True)
    is_dry_run = serializers.BooleanField(required=False, help_text="Decide nothing, and count what would be decided.")


class DecisionRunFilter(filters.StrictFilterSet):
    term = filters.UUIDFilter(field_name="term_id")
    department = filters.UUIDFilter(field_name="department_id")
    course = filters.UUIDFilter(field_name="course_id")
    state = filters.MultipleChoiceFilter(choices=RunState.choices)
    is_dry_run = filters.BooleanFilter()

    class Meta:
        model = DecisionRun
        fields = ["term", "department", "course", "state", "is_dry_run"]


class DecisionRunViewSet(UnifiedViewSet[DecisionRun]):
    """Decisions about everybody in a term, a department or a course: a worker makes them some sections at a time.

    Whoever is enrolled in a section decides about nobody in it: such sections are left out, and counted.
    """

    queryset = DecisionRun.objects.all()
    # A worker decides with all that its account may do, and a key may be narrower than that.
    takes_keys = False
    crud: ClassVar[Crud[Any]] = Crud(create=services.request_decisions)
    list_serializer_class = DecisionRunSerializer
    write_serializer_class = DecisionRunWriter
    filterset_class = DecisionRunFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
