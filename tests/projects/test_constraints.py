"""Every named constraint of projects refuses what it names, whoever writes."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from core.db.constraints import error_for
from projects.models import Project, SchoolProject, SelfStudyProject
from tests.projects.factories import BareProjectFactory, ProjectFactory, SchoolProjectFactory, SelfStudyProjectFactory

pytestmark = pytest.mark.django_db


def code_of(act):
    """Return the code of what the database says to an act, at once or at the end of its transaction."""

    @transaction.atomic
    def whole():
        act()
        connection.check_constraints()

    with pytest.raises(IntegrityError) as refused:
        whole()
    return error_for(refused.value).error_code


class TestWhatAKindAdds:
    @pytest.mark.parametrize("project_type", ["school", "self_study", "final_year", "unheard_of"])
    def test_a_project_without_it_is_refused(self, project_type):
        assert code_of(lambda: BareProjectFactory(project_type=project_type)) == "subtype_mismatch"

    @pytest.mark.parametrize("factory", [SchoolProjectFactory, SelfStudyProjectFactory])
    def test_a_project_with_it_is_taken(self, factory):
        factory()

        connection.check_constraints()

    def test_it_is_of_the_type_of_the_project(self):
        assert code_of(lambda: SchoolProjectFactory(project__project_type="self_study")) == "subtype_mismatch"

    def test_it_says_of_which_type_it_is(self):
        row = SelfStudyProjectFactory()

        assert code_of(lambda: SelfStudyProject.objects.filter(pk=row.pk).update(project_type="school")) == (
            "subtype_mismatch"
        )

    def test_it_does_not_go_without_the_project(self):
        row = SchoolProjectFactory()

        assert code_of(lambda: SchoolProject.objects.filter(pk=row.pk).delete()) == "subtype_mismatch"

    def test_it_does_not_move_to_another_project(self):
        row = SchoolProjectFactory()

        assert code_of(lambda: SchoolProject.objects.filter(pk=row.pk).update(project=BareProjectFactory())) == (
            "subtype_mismatch"
        )

    def test_the_project_does_not_go_without_it(self):
        row = SchoolProjectFactory()

        with connection.cursor() as cursor:
            assert code_of(lambda: cursor.execute("DELETE FROM projects_project WHERE id = %s", [row.pk])) == (
                "subtype_mismatch"
            )

    def test_a_project_becomes_one_of_another_kind_only_as_a_whole(self):
        row = SchoolProjectFactory()
        projects = Project.objects.filter(pk=row.pk)
        assert code_of(lambda: projects.update(project_type="self_study")) == "subtype_mismatch"

        with transaction.atomic():
            row.delete()
            projects.update(project_type="self_study")
            SelfStudyProjectFactory(project=projects.get())
            connection.check_constraints()

    def test_both_go_together(self):
        row = SchoolProjectFactory()

        row.project.delete()

        connection.check_constraints()
        assert not SchoolProject.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "blank"),
        ({"state": "lost"}, "invalid_choice"),
        ({"start_date": date(2026, 10, 2), "end_date": date(2026, 10, 1)}, "ends_before_start"),
        ({"project_type": "School'); --"}, "invalid_choice"),
    ],
)
def test_a_project_is_refused(changes, code):
    project = ProjectFactory()

    assert code_of(lambda: Project.objects.filter(pk=project.pk).update(**changes)) == code


@pytest.mark.parametrize("column", ["course_name", "course_code", "teacher_name"])
def test_a_school_project_says_for_which_course_it_is(column):
    row = SchoolProjectFactory()

    assert code_of(lambda: SchoolProject.objects.filter(pk=row.pk).update(**{column: ""})) == "required"


@pytest.mark.parametrize("column", ["goal_description", "study_frequency"])
def test_a_study_says_what_for_and_how_often(column):
    row = SelfStudyProjectFactory()

    assert code_of(lambda: SelfStudyProject.objects.filter(pk=row.pk).update(**{column: ""})) == "required"


def test_a_project_ends_on_the_day_it_starts_or_is_open():
    for dates in ({"end_date": date(2026, 10, 1)}, {"end_date": None}, {"start_date": None}):
        ProjectFactory(**{"start_date": date(2026, 10, 1), **dates})


def test_an_account_with_projects_stays():
    project = ProjectFactory()

    with pytest.raises(IntegrityError):
        project.owner.delete()


def test_what_is_published_is_no_draft():
    project = ProjectFactory()
    drafts = Project.objects.drafts()
    assert drafts.filter(pk=project.pk).exists()

    Project.objects.filter(pk=project.pk).update(state="active")

    assert not drafts.filter(pk=project.pk).exists()
