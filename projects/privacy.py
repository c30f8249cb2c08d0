"""What projects say about people."""

from core.privacy import personal
from projects.models import Project, ProjectMeta, SchoolProject, SelfStudyProject
from projects.selectors import own_projects_of

personal(
    Project,
    says="Your projects: what each is called, when it begins and ends, and how far it is.",
    kept="Until you delete it; erasure removes it. What is part of the academic record is kept with that.",
    paths=("owner__person",),
    finds=own_projects_of,
    keeps="project_type name start_date end_date state custom_data",
    deletes=True,
)
personal(
    SchoolProject,
    says="For which courses your projects are, and who teaches them.",
    kept="For as long as the project; erasure removes it.",
    paths=("project__owner__person",),
    keeps="project_type course_name course_code teacher_name",
    deletes=True,
)
personal(
    SelfStudyProject,
    says="What you study by yourself, and how often.",
    kept="For as long as the project; erasure removes it.",
    paths=("project__owner__person",),
    keeps="project_type goal_description study_frequency",
    deletes=True,
)
personal(
    ProjectMeta,
    says="What you noted about your projects.",
    kept="For as long as the project; erasure removes it.",
    paths=("project__owner__person",),
    keeps="key value",
    deletes=True,
)
