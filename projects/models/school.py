"""Projects for a course."""

from django.db import models

from core.models import BaseQuerySet
from projects.kinds import Kind, register
from projects.models.details import ProjectDetails, belongs_to, given, is_of_type, type_of_project

TABLE = "projects_schoolproject"


class SchoolProject(ProjectDetails):
    """For which course somebody works and who teaches it, in their own words: it need not be one of ours."""

    project = belongs_to("school_data")
    project_type = type_of_project("school")
    course_name = models.CharField(max_length=255)
    course_code = models.CharField(max_length=50)
    teacher_name = models.CharField(max_length=255)

    objects = BaseQuerySet["SchoolProject"].as_manager()

    class Meta:
        constraints = (
            is_of_type(TABLE, "school"),
            given(TABLE, "course_name", "Course name"),
            given(TABLE, "course_code", "Course code"),
            given(TABLE, "teacher_name", "Teacher name"),
        )
        indexes = (models.Index(fields=["course_code"], name="projects_school_by_course"),)


SCHOOL = register(
    Kind(
        project_type="school",
        label="school project",
        model=SchoolProject,
        details="school_data",
        resource="school_projects",
        fields=("course_name", "course_code", "teacher_name"),
        filtered=("course_code",),
        searched=("course_name", "teacher_name"),
    )
)
