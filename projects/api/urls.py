"""Where projects answer."""

from typing import Any

from django.urls import path

from projects.api import (
    allocation_views,
    attachments,
    cycle_views,
    dates,
    metadata,
    milestone_views,
    search,
    submission_views,
    supervision_views,
    views,
)
from projects.kinds import kinds

routes = [
    ("projects", views.ProjectViewSet, "project"),
    ("project-cycles", cycle_views.ProjectCycleViewSet, "project-cycle"),
    ("supervisor-capacities", cycle_views.SupervisorCapacityViewSet, "supervisor-capacity"),
    ("topics", cycle_views.TopicViewSet, "topic"),
    ("project-applications", cycle_views.ProjectApplicationViewSet, "project-application"),
    ("project-allocations", allocation_views.AllocationRunViewSet, "project-allocation"),
    ("allocation-outcomes", allocation_views.AllocationOutcomeViewSet, "allocation-outcome"),
    ("important-dates", dates.ImportantDateViewSet, "important-date"),
    ("project-attachments", attachments.AttachmentViewSet, "project-attachment"),
    ("project-members", allocation_views.ProjectMemberViewSet, "project-member"),
    ("planned-milestones", milestone_views.PlannedMilestoneViewSet, "planned-milestone"),
    ("milestones", milestone_views.MilestoneViewSet, "milestone"),
    ("extension-requests", milestone_views.ExtensionRequestViewSet, "extension-request"),
    ("submissions", submission_views.SubmissionViewSet, "submission"),
    ("supervision-log", supervision_views.LogEntryViewSet, "log-entry"),
]

METADATA: dict[str, Any] = {"get": "retrieve", "post": "add", "put": "replace", "patch": "merge", "delete": "clear"}

urlpatterns = [
    path("projects/search/", search.ProjectSearchViewSet.as_view({"get": "list"}), name="projects-search"),
    path(
        "milestones/<uuid:parent>/history/",
        milestone_views.MilestoneEventViewSet.as_view({"get": "list"}),
        name="milestone-history",
    ),
    path("projects/<uuid:pk>/metadata/", metadata.ProjectMetadataViewSet.as_view(METADATA), name="project-metadata"),
    path(
        "projects/<uuid:parent>/important-dates/",
        dates.DatesOfProjectViewSet.as_view({"get": "list", "post": "create"}),
        name="project-important-dates",
    ),
    path(
        "projects/<uuid:parent>/attachments/",
        attachments.AttachmentsOfProjectViewSet.as_view({"get": "list", "post": "create"}),
        name="project-attachments",
    ),
    *(
        path(
            f"projects/{kind.resource}/", views.list_of(kind).as_view({"get": "list"}), name=f"projects-{kind.resource}"
        )
        for kind in kinds()
    ),
]
