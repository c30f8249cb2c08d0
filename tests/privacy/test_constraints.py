"""Every named constraint of privacy refuses what it names, whoever writes."""

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from privacy.models import SubjectExport
from tests.accounts.factories import PersonFactory, UserFactory

pytestmark = pytest.mark.django_db


def export(**values):
    usual = {"person": PersonFactory(), "requested_by": UserFactory()}
    return SubjectExport.objects.create(**{**usual, **values})


def two_at_a_time():
    first = export()
    export(person=first.person, requested_by=first.requested_by)


VIOLATIONS = {
    "privacy_subjectexport_one_at_a_time": two_at_a_time,
    "privacy_subjectexport_state_known": lambda: export(state="lost"),
    "privacy_subjectexport_ready_has_file": lambda: export(state="ready"),
}


def test_every_constraint_of_the_app_is_tried():
    declared = {c.name for model in apps.get_app_config("privacy").get_models() for c in model._meta.constraints}

    assert declared == VIOLATIONS.keys()


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_refused_by_name(name):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        VIOLATIONS[name]()

    assert refused.value.__cause__.diag.constraint_name == name
