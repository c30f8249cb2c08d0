"""The least valid projects: what all have and what their kind adds, which go together."""

from datetime import date

import factory
from django.db import transaction

from projects.models import ImportantDate, Project, ProjectMeta, SchoolProject, SelfStudyProject
from tests.accounts.factories import UserFactory


class WholeFactory(factory.django.DjangoModelFactory):
    """Writes all that it makes in one transaction."""

    class Meta:
        abstract = True

    @classmethod
    def _generate(cls, strategy, params):
        with transaction.atomic():
            return super()._generate(strategy, params)


class BareProjectFactory(WholeFactory):
    """A project without what its kind adds: the transaction that leaves it so is refused."""

    class Meta:
        model = Project

    project_type = "school"
    name = factory.Faker("catch_phrase")
    owner = factory.SubFactory(UserFactory)
    start_date = date(2026, 10, 1)
    end_date = date(2027, 1, 31)


class SchoolProjectFactory(WholeFactory):
    class Meta:
        model = SchoolProject

    project = factory.SubFactory(BareProjectFactory, project_type="school")
    course_name = factory.Faker("catch_phrase")
    course_code = factory.Faker("bothify", text="???-###")
    teacher_name = factory.Faker("name")


class SelfStudyProjectFactory(WholeFactory):
    class Meta:
        model = SelfStudyProject

    project = factory.SubFactory(BareProjectFactory, project_type="self_study")
    goal_description = factory.Faker("catch_phrase")
    study_frequency = "Twice a week"


class ProjectFactory(BareProjectFactory):
    """A school project with what that adds."""

    class Meta:
        skip_postgeneration_save = True

    school_data = factory.RelatedFactory(SchoolProjectFactory, factory_related_name="project")


class ProjectMetaFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProjectMeta

    project = factory.SubFactory(ProjectFactory)
    key = factory.Sequence(lambda n: f"key{n}")
    value = factory.LazyFunction(lambda: {"weeks": 14})


class ImportantDateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ImportantDate

    project = factory.SubFactory(ProjectFactory)
    title = factory.Faker("catch_phrase")
    date = date(2026, 12, 1)


class CompleteProjectFactory(ProjectFactory):
    """A school project with three notes and two dates."""

    class Meta:
        skip_postgeneration_save = True

    notes = factory.RelatedFactoryList(ProjectMetaFactory, factory_related_name="project", size=3)
    dates = factory.RelatedFactoryList(ImportantDateFactory, factory_related_name="project", size=2)
