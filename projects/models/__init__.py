"""A project is somebody's; what it has besides depends on its kind.

    accounts.User 1 --- * Project 1 --- 1 SchoolProject | SelfStudyProject | …
                          Project 1 --- * ProjectMeta
                          Project 1 --- * ImportantDate
                          Project 1 --- 1 ProjectWords

The row that a kind adds has the id of its project: neither is there without the other (`projects.kinds`).
"""

from projects.models.allocation import AllocationOutcome, AllocationRun
from projects.models.applications import ProjectApplication, TopicPreference
from projects.models.cycles import CyclePhase, ProjectCycle, SupervisorCapacity, SupervisorRole, Topic
from projects.models.dates import ImportantDate
from projects.models.details import ProjectDetails, belongs_to, given, type_of_project
from projects.models.final_year import FINAL_YEAR, FinalYearProject, ProjectMember
from projects.models.metadata import ProjectMeta
from projects.models.milestones import (
    ExtensionRequest,
    ExtensionStatus,
    Milestone,
    MilestoneEvent,
    MilestoneKind,
    MilestoneStatus,
    PlannedMilestone,
)
from projects.models.project import Project, ProjectState
from projects.models.school import SCHOOL, SchoolProject
from projects.models.self_study import SELF_STUDY, SelfStudyProject
from projects.models.submissions import Submission, SubmissionDecision, SubmissionFile
from projects.models.supervision import LogEntry
from projects.models.words import ProjectWords

__all__ = [
    "FINAL_YEAR",
    "SCHOOL",
    "SELF_STUDY",
    "AllocationOutcome",
    "AllocationRun",
    "CyclePhase",
    "ExtensionRequest",
    "ExtensionStatus",
    "FinalYearProject",
    "ImportantDate",
    "LogEntry",
    "Milestone",
    "MilestoneEvent",
    "MilestoneKind",
    "MilestoneStatus",
    "PlannedMilestone",
    "Project",
    "ProjectApplication",
    "ProjectCycle",
    "ProjectDetails",
    "ProjectMember",
    "ProjectMeta",
    "ProjectState",
    "ProjectWords",
    "SchoolProject",
    "SelfStudyProject",
    "Submission",
    "SubmissionDecision",
    "SubmissionFile",
    "SupervisorCapacity",
    "SupervisorRole",
    "Topic",
    "TopicPreference",
    "belongs_to",
    "given",
    "type_of_project",
]
