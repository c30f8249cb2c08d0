"""A project is somebody's; what it has besides depends on its kind.

    accounts.User 1 --- * Project 1 --- 1 SchoolProject | SelfStudyProject | …
                          Project 1 --- * ProjectMeta

The row that a kind adds has the id of its project: neither is there without the other (`projects.kinds`).
"""

from projects.models.details import ProjectDetails, belongs_to, given, type_of_project
from projects.models.metadata import ProjectMeta
from projects.models.project import Project, ProjectState
from projects.models.school import SCHOOL, SchoolProject
from projects.models.self_study import SELF_STUDY, SelfStudyProject

__all__ = [
    "SCHOOL",
    "SELF_STUDY",
    "Project",
    "ProjectDetails",
    "ProjectMeta",
    "ProjectState",
    "SchoolProject",
    "SelfStudyProject",
    "belongs_to",
    "given",
    "type_of_project",
]
