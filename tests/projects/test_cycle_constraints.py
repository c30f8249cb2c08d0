"""Every named constraint of cycles, of what is offered in them and of what is wanted refuses what it names."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core.db.constraints import error_for
from projects.models import (
    AllocationOutcome,
    AllocationRun,
    ExtensionRequest,
    FinalYearProject,
    LogEntry,
    Milestone,
    PlannedMilestone,
    ProjectApplication,
    ProjectCycle,
    ProjectMember,
    Submission,
    SubmissionFile,
    SupervisorCapacity,
    Topic,
    TopicPreference,
)
from tests.accounts.factories import UserFactory
from tests.faculty.factories import FacultyFactory
from tests.projects.cycle_factories import (
    DAY,
    AllocationOutcomeFactory,
    AllocationRunFactory,
    ExtensionRequestFactory,
    FinalYearProjectFactory,
    LogEntryFactory,
    MilestoneFactory,
    PlannedMilestoneFactory,
    ProjectApplicationFactory,
    ProjectCycleFactory,
    ProjectMemberFactory,
    SubmissionFactory,
    SubmissionFileFactory,
    SupervisorCapacityFactory,
    TopicFactory,
    TopicPreferenceFactory,
)

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 12, 12, tzinfo=UTC)


def _again(factory, *names, **values):
    row = factory(**values)
    return factory(**{name: getattr(row, name) for name in names}, **values)


def _preference(**values):
    return TopicPreferenceFactory(application=TopicPreferenceFactory().application, **values)


def _twice_the_topic():
    first = TopicPreferenceFactory()
    return TopicPreferenceFactory(application=first.application, topic=first.topic, rank=2)


def _out_of_turn():
    cycle = ProjectCycleFactory()
    cycle.preferences_close_at = cycle.preferences_open_at - timedelta(seconds=1)
    cycle.save()


def _in_two_projects():
    first = ProjectMemberFactory()
    ProjectMemberFactory(student=first.student, project__cycle=first.cycle)


def _member_again():
    first = ProjectMemberFactory(is_active=False)
    ProjectMemberFactory(student=first.student, project=first.project)


def _under_another():
    project = FinalYearProjectFactory()
    ProjectMemberFactory(project=project, supervisor=SupervisorCapacityFactory(cycle=project.cycle).faculty)


def _group_of(size):
    project = FinalYearProjectFactory()
    for _ in range(size):
        ProjectMemberFactory(project=project)


def _over_full():
    topic = TopicFactory()
    for _ in range(2):
        ProjectMemberFactory(project=FinalYearProjectFactory(cycle=topic.cycle, topic=topic))


def _used():
    return SupervisorCapacity.objects.get(faculty=ProjectMemberFactory().supervisor)


def _smaller_groups():
    member = ProjectMemberFactory()
    ProjectMemberFactory(project=member.project)
    _changed(member.cycle, max_group_size=1)


def _more_than_all():
    first = ProjectMemberFactory(contribution=60)
    ProjectMemberFactory(project=first.project, is_active=False, contribution=41)


def _published(outcome):
    AllocationRun.objects.filter(pk=outcome.run_id).update(published_at=NOON)
    return outcome.run


def _changed(row, **values):
    type(row).objects.filter(pk=row.pk).update(**values)


def _overweight():
    first = MilestoneFactory(weight=60)
    MilestoneFactory(project=first.project, weight=41)


def _shortened():
    milestone = MilestoneFactory()
    late = milestone.due_at - timedelta(seconds=1)
    _changed(milestone.project.cycle, defences_open_at=late - DAY, ends_at=late)


def _by_themselves():
    user = UserFactory()
    _decided(requested_by=user, decided_by=user)


def _same_file():
    first = SubmissionFileFactory(submission__files_count=2)
    SubmissionFileFactory(submission=first.submission, asset=first.asset, position=2)


def _signed(**values):
    member = ProjectMemberFactory()
    signatures = {
        "student_signed_by": member.student, "student_signed_at": NOON,
        "supervisor_signed_by": member.supervisor, "supervisor_signed_at": NOON,
    }  # fmt: skip
    return LogEntryFactory(project=member.project, **{**signatures, **values})


def _signed_by_a_stranger():
    LogEntryFactory(student_signed_by=ProjectMemberFactory().student, student_signed_at=NOON)


def _handed_in_whole():
    SubmissionFactory(files_count=1)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _decided(**values):
    return ExtensionRequestFactory(status="granted", decided_at=NOON, **values)


VIOLATIONS = {
    "projects_projectcycle_once_a_year": (
        "cycle_taken", lambda: _again(ProjectCycleFactory, "program", "academic_year"),
    ),
    "projects_projectcycle_named": ("blank", lambda: ProjectCycleFactory(name="")),
    "projects_projectcycle_phases_in_turn": ("phases_out_of_turn", _out_of_turn),
    "projects_projectcycle_group_sizes": (
        "group_size_out_of_range", lambda: ProjectCycleFactory(min_group_size=3, max_group_size=2),
    ),
    "projects_projectcycle_preferences_in_range": (
        "preferences_out_of_range", lambda: ProjectCycleFactory(most_preferences=31),
    ),
    "projects_projectcycle_marks_in_order": (
        "pass_marks_out_of_order", lambda: ProjectCycleFactory(conditional_pass_mark=71),
    ),
    "projects_supervisorcapacity_once": (
        "capacity_taken", lambda: _again(SupervisorCapacityFactory, "cycle", "faculty"),
    ),
    "projects_supervisorcapacity_not_exceeded": (
        "quota_exceeded", lambda: SupervisorCapacityFactory(max_count=1, used_count=2),
    ),
    "projects_supervisorcapacity_role_known": ("invalid_choice", lambda: SupervisorCapacityFactory(role="fourth")),
    # The primary key is unique in it.
    "projects_topic_identity": None,
    "projects_topic_titled": ("blank", lambda: TopicFactory(title_local="")),
    "projects_topic_places_in_range": ("places_out_of_range", lambda: TopicFactory(places=0)),
    "projects_topic_not_exceeded": ("topic_full", _over_full),
    "projects_supervisorcapacity_kept": ("in_use", lambda: SupervisorCapacity.objects.filter(pk=_used().pk).delete()),
    "projects_projectcycle_groups_fit": ("groups_larger", _smaller_groups),
    "projects_projectmember_contributions_fit": ("contributions_exceeded", _more_than_all),
    "projects_projectapplication_once": (
        "already_applied", lambda: _again(ProjectApplicationFactory, "cycle", "student"),
    ),
    "projects_projectapplication_identity": None,
    "projects_topicpreference_rank_once": ("rank_taken", _preference),
    "projects_topicpreference_topic_once": ("topic_repeated", _twice_the_topic),
    "projects_topicpreference_rank_in_range": ("rank_out_of_range", lambda: _preference(rank=31)),
    "projects_topicpreference_topic_of_cycle": (
        "topic_not_offered", lambda: TopicPreferenceFactory(topic=TopicFactory()),
    ),
    "projects_topicpreference_application_of_cycle": (
        "topic_not_offered",
        lambda: TopicPreferenceFactory(application=ProjectApplicationFactory(), cycle=ProjectCycleFactory()),
    ),
    "projects_finalyearproject_type": (
        "subtype_mismatch", lambda: FinalYearProjectFactory(project_type="school"),
    ),
    "projects_finalyearproject_topic_local_given": ("required", lambda: FinalYearProjectFactory(topic_local="")),
    "projects_finalyearproject_unique_code": ("code_taken", lambda: _again(FinalYearProjectFactory, "code")),
    "projects_finalyearproject_code_spelled": ("invalid", lambda: FinalYearProjectFactory(code="P26x")),
    "projects_finalyearproject_identity": None,
    "projects_finalyearproject_topic_of_cycle": (
        "topic_not_offered", lambda: FinalYearProjectFactory(topic=TopicFactory()),
    ),
    "projects_projectmember_one_active": ("already_in_project", _in_two_projects),
    "projects_projectmember_once": ("member_taken", _member_again),
    "projects_projectmember_contribution_in_range": (
        "contribution_out_of_range", lambda: ProjectMemberFactory(contribution=101),
    ),
    "projects_projectmember_of_project": ("project_mismatch", _under_another),
    "projects_projectmember_capacity_said": (
        "quota_exceeded", lambda: ProjectMemberFactory(project__supervisor=FacultyFactory()),
    ),
    "projects_projectmember_group_not_full": ("group_full", lambda: _group_of(3)),
    "projects_allocationrun_one_published": (
        "allocation_published", lambda: _again(AllocationRunFactory, "cycle", published_at=NOON),
    ),
    "projects_allocationrun_algorithm_known": ("invalid_choice", lambda: AllocationRunFactory(algorithm="by hand")),
    "projects_allocationrun_immutable": ("immutable", lambda: _changed(AllocationRunFactory(), input_hash="1")),
    "projects_allocationoutcome_once": ("conflict", lambda: _again(AllocationOutcomeFactory, "run", "student")),
    "projects_allocationoutcome_ranked": ("invalid", lambda: AllocationOutcomeFactory(rank=1)),
    "projects_allocationoutcome_immutable": ("immutable", lambda: _changed(AllocationOutcomeFactory(), missed=[1])),
    "projects_plannedmilestone_once": ("milestone_taken", lambda: _again(PlannedMilestoneFactory, "cycle", "title")),
    "projects_plannedmilestone_kind_known": ("invalid_choice", lambda: PlannedMilestoneFactory(kind="party")),
    "projects_plannedmilestone_titled": ("blank", lambda: PlannedMilestoneFactory(title="")),
    "projects_plannedmilestone_weight_in_range": ("weight_out_of_range", lambda: PlannedMilestoneFactory(weight=101)),
    "projects_plannedmilestone_within_cycle": (
        "milestone_out_of_cycle", lambda: PlannedMilestoneFactory(due_at=timezone.now() + 6 * DAY),
    ),
    "projects_projectcycle_holds_milestones": ("cycle_holds_milestones", _shortened),
    "projects_milestone_once": ("milestone_taken", lambda: _again(MilestoneFactory, "project", "title")),
    "projects_milestone_kind_known": ("invalid_choice", lambda: MilestoneFactory(kind="party")),
    "projects_milestone_status_known": ("invalid_choice", lambda: MilestoneFactory(status="lost")),
    "projects_milestone_titled": ("blank", lambda: MilestoneFactory(title="")),
    "projects_milestone_weight_in_range": ("weight_out_of_range", lambda: MilestoneFactory(weight=-1)),
    "projects_milestone_weights_within_whole": ("weights_exceeded", _overweight),
    "projects_milestone_within_cycle": (
        "milestone_out_of_cycle", lambda: MilestoneFactory(due_at=timezone.now() - 2 * DAY),
    ),
    "projects_milestone_extended_beyond": (
        "extension_not_later", lambda: MilestoneFactory(extended_until=timezone.now() + DAY),
    ),
    "projects_extensionrequest_one_pending": (
        "extension_pending", lambda: _again(ExtensionRequestFactory, "milestone"),
    ),
    "projects_extensionrequest_decided": ("invalid", lambda: ExtensionRequestFactory(status="granted")),
    "projects_extensionrequest_decided_by_another": ("self_approval", _by_themselves),
    # The trigger gives each version a number of its own.
    "projects_submission_version_once": None,
    "projects_submission_files_in_range": ("too_many_files", lambda: SubmissionFactory(files_count=21)),
    "projects_submission_decided": ("invalid", lambda: SubmissionFactory(decision="accepted")),
    "projects_submission_immutable": ("immutable", lambda: _changed(SubmissionFactory(), statement="Otherwise")),
    "projects_submission_kept": ("immutable", lambda: SubmissionFactory().delete()),
    "projects_submission_whole": ("immutable", _handed_in_whole),
    "projects_submissionfile_place_once": (
        "conflict", lambda: SubmissionFileFactory(submission=SubmissionFileFactory().submission),
    ),
    "projects_submissionfile_file_once": ("file_repeated", _same_file),
    "projects_submissionfile_place_counted": ("invalid", lambda: SubmissionFileFactory(position=0)),
    "projects_submissionfile_immutable": ("immutable", lambda: _changed(SubmissionFileFactory(), position=2)),
    "projects_submissionfile_in_time": (
        "immutable",
        lambda: SubmissionFileFactory(submission=SubmissionFileFactory().submission, position=2),
    ),
    "projects_submissionfile_present": (
        "file_unavailable", lambda: SubmissionFileFactory(asset__deleted_at=NOON),
    ),
    "projects_submissionfile_keeps_file": (
        "in_use", lambda: _changed(SubmissionFileFactory().asset, deleted_at=NOON),
    ),
    "projects_logentry_once": ("log_entry_taken", lambda: _again(LogEntryFactory, "project", "met_at")),
    "projects_logentry_minutes_in_range": ("minutes_out_of_range", lambda: LogEntryFactory(minutes=0)),
    "projects_logentry_said": ("blank", lambda: LogEntryFactory(summary="")),
    "projects_logentry_student_signed": ("invalid", lambda: LogEntryFactory(student_signed_at=NOON)),
    "projects_logentry_supervisor_signed": ("invalid", lambda: LogEntryFactory(supervisor_signed_at=NOON)),
    "projects_logentry_by_member": ("not_yours_to_sign", _signed_by_a_stranger),
    "projects_logentry_by_supervisor": (
        "not_yours_to_sign",
        lambda: LogEntryFactory(supervisor_signed_by=FacultyFactory(), supervisor_signed_at=NOON),
    ),
    "projects_logentry_immutable": ("immutable", lambda: _signed().delete()),
    "projects_logentry_signature_stands": (
        "log_entry_signed", lambda: _changed(_signed(student_signed_by=None, student_signed_at=None), minutes=5),
    ),
    "projects_extensionrequest_immutable": ("extension_decided", lambda: _changed(_decided(), status="refused")),
}  # fmt: skip

KEPT = {
    "the faculty of a capacity": (
        "projects_supervisorcapacity_kept", lambda: _changed(_used(), faculty=FacultyFactory()),
    ),
    "the role of a capacity": ("projects_supervisorcapacity_kept", lambda: _changed(_used(), role="main")),
    "a run": ("projects_allocationrun_immutable", lambda: AllocationRunFactory().delete()),
    "a published run": (
        "projects_allocationrun_immutable",
        lambda: _changed(_published(AllocationOutcomeFactory()), published_at=NOON + timedelta(1)),
    ),
    "an outcome": ("projects_allocationoutcome_immutable", lambda: AllocationOutcomeFactory().delete()),
    "one more outcome": (
        "projects_allocationoutcome_immutable",
        lambda: AllocationOutcomeFactory(run=_published(AllocationOutcomeFactory())),
    ),
}  # fmt: skip


def test_every_constraint_has_its_case():
    models = (
        AllocationOutcome, AllocationRun, ExtensionRequest, FinalYearProject, LogEntry, Milestone,
        PlannedMilestone, ProjectApplication, ProjectCycle, ProjectMember, Submission, SubmissionFile,
        SupervisorCapacity, Topic, TopicPreference,
    )  # fmt: skip

    assert {one.name for model in models for one in model._meta.constraints} <= VIOLATIONS.keys()


@pytest.mark.parametrize("name", [name for name, case in VIOLATIONS.items() if case])
def test_a_violation_is_refused_by_name_with_its_code(name):
    code, violate = VIOLATIONS[name]

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        violate()

    assert refused.value.__cause__.diag.constraint_name == name
    assert error_for(refused.value).error_code == code


@pytest.mark.parametrize("what", KEPT)
def test_what_is_kept_is_neither_changed_nor_lost(what):
    name, violate = KEPT[what]

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        violate()

    assert refused.value.__cause__.diag.constraint_name == name


def test_a_project_that_is_made_of_another_topic_takes_its_members_along():
    topics = [TopicFactory(places=2)]
    topics.append(TopicFactory(cycle=topics[0].cycle, places=1))
    project = FinalYearProjectFactory(cycle=topics[0].cycle, topic=topics[0])
    members = [ProjectMemberFactory(project=project) for _ in range(2)]
    counted = Topic.objects.order_by("pk").values_list("taken_count", flat=True)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        _changed(project, topic=topics[1])
    assert refused.value.__cause__.diag.constraint_name == "projects_topic_not_exceeded"
    _changed(members[0], is_active=False)
    _changed(project, topic=topics[1])

    assert list(counted.all()) == [0, 1]
    members[1].delete()
    assert list(counted.all()) == [0, 0]
