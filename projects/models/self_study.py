"""Studies of one's own."""

from django.db import models

from core.models import BaseQuerySet
from projects.kinds import Kind, register
from projects.models.details import ProjectDetails, belongs_to, given, is_of_type, type_of_project

TABLE = "projects_selfstudyproject"


class SelfStudyProject(ProjectDetails):
    """What somebody wants to learn, and how often they study for it."""

    project = belongs_to("self_study_data")
    project_type = type_of_project("self_study")
    goal_description = models.TextField(max_length=5000)
    study_frequency = models.CharField(max_length=50)

    objects = BaseQuerySet["SelfStudyProject"].as_manager()

    class Meta:
        constraints = (
            is_of_type(TABLE, "self_study"),
            given(TABLE, "goal_description", "Goal description"),
            given(TABLE, "study_frequency", "Study frequency"),
        )
        indexes = (models.Index(fields=["study_frequency"], name="projects_study_by_frequency"),)


SELF_STUDY = register(
    Kind(
        project_type="self_study",
        label="self-study project",
        model=SelfStudyProject,
        details="self_study_data",
        resource="self_study_projects",
        fields=("goal_description", "study_frequency"),
        filtered=("study_frequency",),
        searched=("goal_description",),
    )
)
