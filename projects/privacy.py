"""What projects say about people."""

from django.conf import settings

from core.privacy import impersonal, personal
from core.privacy.retention import keep_for
from files.services.erasing import content_of
from projects import services
from projects.models import (
    AllocationOutcome,
    AllocationRun,
    ExtensionRequest,
    FinalYearProject,
    ImportantDate,
    LogEntry,
    Milestone,
    MilestoneEvent,
    Project,
    ProjectApplication,
    ProjectMember,
    ProjectMeta,
    ProjectWords,
    SchoolProject,
    SelfStudyProject,
    Submission,
    SubmissionFile,
    SupervisorCapacity,
    Topic,
    TopicPreference,
)
from projects.selectors import done_milestones, done_projects, done_submissions, own_projects_of

personal(
    Project,
    says="Your projects: what each is called, when it begins and ends, and how far it is.",
    kept=(
        "Until you delete it, or leave a draft alone for so long that it is cleared away; erasure removes it. What is "
        "part of the academic record is kept with that."
    ),
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
personal(
    ProjectWords,
    says="By which words your projects are found.",
    kept="For as long as the project; erasure removes it.",
    paths=("project__owner__person",),
    withholds={"of_name of_details of_notes": "The words of your projects, which are there as you wrote them."},
    deletes=True,
)
personal(
    ImportantDate,
    says="The days that matter to your projects.",
    kept="For as long as the project; erasure removes it.",
    paths=("project__owner__person",),
    keeps="title date description",
    deletes=True,
)
personal(
    ProjectApplication,
    says="In which years you wanted a topic for a final project.",
    kept="For good: it is what topics were allocated by; it goes on under a pseudonym after erasure.",
    paths=("student__person",),
    keeps="cycle",
)
personal(
    TopicPreference,
    says="Which topics you preferred, and in which order.",
    kept="As long as the application.",
    paths=("application__student__person",),
    keeps="cycle rank",
    mentions={"topic": "Which topic it is, that somebody offers in the course of their work."},
)
personal(
    Topic,
    says="The topics that you offered to supervise.",
    kept="For good: it is what projects were made of.",
    paths=("supervisor__person",),
    keeps="cycle title_local title_en description places taken_count is_offered",
)
personal(
    SupervisorCapacity,
    says="How many students or projects you take in a year, and have taken.",
    kept="For good, as the projects are that it was for.",
    paths=("faculty__person",),
    keeps="cycle role max_count used_count",
)
personal(
    FinalYearProject,
    says="Which final projects you supervise, or answer for.",
    kept="For good: it is part of the academic record of those who did it.",
    paths=("supervisor__person", "project__owner__person"),
    keeps="project_type code cycle topic_local topic_en member_count",
    mentions={
        "supervisor": "Who supervises it: you, or a colleague.",
        "topic": "What it was made of, that somebody offered in the course of their work.",
    },
)
personal(
    ProjectMember,
    says="Which final project you do or did, under whom, and how much of the work was yours.",
    kept="For good: it is part of the academic record, which goes on under a pseudonym after erasure.",
    paths=("student__person",),
    keeps="cycle is_active contribution",
    mentions={
        "project": "The project, which you do or did with others.",
        "supervisor": "Who supervises it, in the course of their work.",
    },
)
personal(
    AllocationOutcome,
    says="Which topic you got, by which merit, and what stood in the way of those that you wanted more.",
    kept="For good: it is what your project was made of.",
    paths=("student__person",),
    keeps="run rank merit missed",
    mentions={"topic": "What you got, that somebody offers in the course of their work."},
)
personal(
    Milestone,
    says="What was due in your final project, until when, and how far you came with it.",
    kept="For good: it is part of the academic record, which goes on under a pseudonym after erasure.",
    paths=("project__members__student__person",),
    finds=done_projects,
    keeps="planned kind title due_at extended_until weight status submission_count",
)
personal(
    MilestoneEvent,
    says="The steps of what was due in your final project, and what was said of it.",
    kept="For as long as the project; erasure empties what was said.",
    paths=("milestone__project__members__student__person",),
    keeps="from_status to_status happened_at",
    clears="reason",
    mentions={"actor": "Who took the step: one of those who do the project, or somebody in the course of their work."},
)
personal(
    Submission,
    says="What you handed in for your final project, version by version, when, and what was said of it.",
    kept="For good: it is part of the academic record, which goes on under a pseudonym after erasure.",
    paths=("milestone__project__members__student__person",),
    finds=done_milestones,
    keeps="version_no statement files_count submitted_at due_at decision feedback decided_at",
    mentions={
        "submitted_by": "Who handed it in: one of those who do the project, or somebody in the course of their work.",
        "decided_by": "Who decided, in the course of their work.",
    },
)
personal(
    SubmissionFile,
    says="The files that you handed in for your final project.",
    kept="For good: they are part of the academic record.",
    paths=("submission__milestone__project__members__student__person",),
    finds=done_submissions,
    keeps="position",
    mentions={"asset": "The file, as whoever uploaded it called it."},
    attaches=lambda row: content_of(row.asset),
)
personal(
    LogEntry,
    says="When you met whoever supervises your final project, and what was said.",
    kept="For good: it is part of the academic record, which goes on under a pseudonym after erasure.",
    paths=("project__members__student__person",),
    finds=done_projects,
    keeps="met_at minutes summary student_signed_at supervisor_signed_at",
    mentions={
        "written_by": "Who wrote it down: one of those who do the project, or whoever supervises it.",
        "student_signed_by": "Who signed for those who do the project: yourself, or another of them.",
        "supervisor_signed_by": "Who signed as the supervisor, in the course of their work.",
    },
)
personal(
    ExtensionRequest,
    says="That you asked for more time in a final project, why, and what was decided.",
    kept="For as long as the project; erasure empties what was said.",
    paths=("requested_by__person",),
    keeps="until status decided_at",
    clears="reason answer",
    mentions={
        "milestone": "What was due in the project, which you do or did with others.",
        "decided_by": "Who decided, in the course of their work.",
    },
)
impersonal(
    AllocationRun,
    requested_by="Who asked for it, in the course of their work.",
    published_by="Who published it, in the course of their work.",
)

keep_for(
    "projects.Project, draft",
    kept=lambda: settings.PROJECT_DRAFTS_KEPT,
    basis="What is begun and left is nobody's work; a note, a date or a file begins the time anew.",
    due=lambda at: services.abandoned_drafts_due(at=at).count(),
    chore="purge_drafts",
)
