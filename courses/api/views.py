"""HTTP for the catalogue, the offer and the timetable: translate, call one service, represent."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bulk import BulkViewSet, ids_at
from core.api.nested import NestedListViewSet
from core.api.viewsets import BaseViewSet
from core.crud import Crud
from core.errors import OutOfScopeError
from core.visibility import visible
from courses import services
from courses.api import filters, serializers
from courses.models import Course, CourseVersion, Meeting, Requisite, Section
from courses.services.bulk import remove_courses
from departments.api.views import DepartmentViewSet
from faculty.models import Faculty


class CourseViewSet(BulkViewSet[Course]):
    """What the catalogue lists; title, description and credits are those in effect today."""

    queryset = Course.objects.all()
    made_of = ["courses.Course", "courses.CourseVersion", *DepartmentViewSet.made_of]
    is_everybodys = True
    list_serializer_class = serializers.CourseSerializer
    detail_serializer_class = serializers.CourseDetailSerializer
    write_serializer_class = serializers.CourseWriter
    write_serializers = {"create": serializers.NewCourseWriter, "bulk_create": serializers.NewCourseWriter}
    filterset_class = filters.CourseFilter
    ordering_fields = {"code": "code", "title": "current_version__title", "created_at": "created_at"}
    default_ordering = ("code",)
    searchable = True
    read_along = ("current_version",)
    crud = Crud(
        create=services.create_course,
        update=services.update_course,
        delete=services.delete_course,
        delete_all=remove_courses,
    )

    def lock_behind(self, rows: models.QuerySet[Course], bodies: Sequence[Mapping[str, Any]]) -> None:
        services.lock_behind_courses(_pks(rows), {name for body in bodies for name in body})


class CourseVersionViewSet(NestedListViewSet[CourseVersion]):
    """What a course was, is and will be, by the days on which it is in effect."""

    queryset = CourseVersion.objects.select_related("course")
    parent_field = "course"
    list_serializer_class = serializers.CourseVersionSerializer
    write_serializers = {"create": serializers.StartVersionWriter}
    ordering_fields = {"version_no": "version_no"}
    default_ordering = ("version_no",)
    success_statuses = {"create": status.HTTP_201_CREATED}

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let the course be something else from a day on; its latest version ends the day before."""
        with transaction.atomic():
            course = visible(Course.objects.all(), self.actor, to="manage").filter(pk=self.kwargs["parent"])
            row = course.select_for_update(of=("self",), no_key=True).first()
            if row is None:
                raise OutOfScopeError
            version = services.start_version(row, by=self.actor, **self.validated(request.data))
            return self.represent(self.fresh(version), status.HTTP_201_CREATED)


class RequisiteViewSet(BulkViewSet[Requisite]):
    """What a student must have, take beside, or not have, to take a course; enrolling does not evaluate it."""

    queryset = Requisite.objects.all()
    made_of = ["courses.Requisite", "courses.RequisiteCourse", *CourseViewSet.made_of]
    is_everybodys = True
    list_serializer_class = serializers.RequisiteSerializer
    write_serializer_class = serializers.RequisiteWriter
    filterset_class = filters.RequisiteFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    crud = Crud(create=services.create_requisite, update=services.update_requisite, delete=services.delete_requisite)


class SectionViewSet(BulkViewSet[Section]):
    """The offerings of courses in a term: what students enrol in."""

    queryset = Section.objects.all()
    made_of = [
        *(
            "courses.Section",
            "courses.SectionInstructor",
            "faculty.Faculty",
            "courses.Meeting",
            "courses.MeetingSection",
        ),
        *("departments.Room", "departments.Building", "departments.Campus"),
        *("departments.Term", "departments.AcademicYear"),
        *CourseViewSet.made_of,
    ]
    is_everybodys = True
    list_serializer_class = serializers.SectionSerializer
    detail_serializer_class = serializers.SectionDetailSerializer
    write_serializer_class = serializers.SectionWriter
    write_serializers = {"move": serializers.MoveSectionWriter}
    filterset_class = filters.SectionFilter
    ordering_fields = {
        "code": "code",
        "course": "course__code",
        "term": "term__starts_on",
        "capacity": "capacity",
        "enrolled_count": "enrolled_count",
        "created_at": "created_at",
    }
    default_ordering = ("-created_at",)
    searchable = True
    action_permissions = {"move": "courses.change_section"}
    crud = Crud(create=services.create_section, update=services.update_section, delete=services.delete_section)

    def lock_ahead(self, rows: models.QuerySet[Section], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock along which sections meet with these, when meetings may change."""
        if self.action in ("destroy", "bulk_delete") or any({"meetings", "status"} & body.keys() for body in bodies):
            named = Meeting.objects.filter(pk__in=list(ids_at(bodies, "meetings", "id")))
            services.lock_timetables(section_ids=_pks(rows), meeting_ids=_pks(visible(named, self.actor)))

    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Move the section to another status."""
        return self.step(request, services.move_section)


class SectionsOfFacultyViewSet(NestedListViewSet[Section]):
    """What a member of the faculty teaches, alone or with others."""

    queryset = Section.objects.all()
    parents = Faculty.objects.all()
    parent_field = "section_instructors__faculty"
    list_serializer_class = serializers.SectionSerializer
    filterset_class = filters.SectionFilter
    ordering_fields = SectionViewSet.ordering_fields
    default_ordering = SectionViewSet.default_ordering
    searchable = True


class MeetingViewSet(BulkViewSet[Meeting]):
    """The weekly timetable: when and where sections meet, alone or together."""

    queryset = Meeting.objects.all()
    made_of = [
        *("courses.Meeting", "courses.MeetingSection", "courses.Section-seats", "courses.Course"),
        "courses.CourseVersion",
        *("departments.Room", "departments.Building", "departments.Campus", "departments.Term"),
    ]
    is_everybodys = True
    list_serializer_class = serializers.MeetingSerializer
    write_serializer_class = serializers.MeetingWriter
    filterset_class = filters.MeetingFilter
    ordering_fields = {"weekday": "weekday", "starts_at": "starts_at", "created_at": "created_at"}
    default_ordering = ("weekday", "starts_at")
    crud = Crud(create=services.create_meeting, update=services.update_meeting, delete=services.delete_meeting)

    def lock_ahead(self, rows: models.QuerySet[Meeting], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock the sections that the meetings serve, and are to serve."""
        named = Section.objects.filter(pk__in=list(ids_at(bodies, "sections")))
        services.lock_timetables(section_ids=_pks(visible(named, self.actor, to="manage")), meeting_ids=_pks(rows))


class TimetableViewSet(BaseViewSet[Meeting]):
    """The timetable to be read: of a term, a room, a course, a department or a member of the faculty."""

    queryset = Meeting.objects.all()
    made_of = [*MeetingViewSet.made_of, "courses.SectionInstructor"]
    is_everybodys = True
    list_serializer_class = serializers.MeetingSerializer
    filterset_class = filters.TimetableFilter
    ordering_fields = {"weekday": "weekday", "starts_at": "starts_at"}
    default_ordering = ("weekday", "starts_at")


class SectionMeetingViewSet(NestedListViewSet[Meeting]):
    """When and where a section meets, and with which others."""

    queryset = Meeting.objects.all()
    parent_field = "sections"
    list_serializer_class = serializers.MeetingSerializer
    ordering_fields = {"weekday": "weekday", "starts_at": "starts_at"}
    default_ordering = ("weekday", "starts_at")


def _pks(rows: models.QuerySet[Any]) -> list[UUID]:
    return list(rows.order_by().values_list("pk", flat=True))
