"""Every named constraint of privacy refuses what it names, whoever writes."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from privacy.models import ErasureRequest, LegalHold, SubjectExport
from tests.accounts.factories import PersonFactory, UserFactory

pytestmark = pytest.mark.django_db


def export(**values):
    usual = {"person": PersonFactory(), "requested_by": UserFactory()}
    return SubjectExport.objects.create(**{**usual, **values})


def two_at_a_time():
    first = export()
    export(person=first.person, requested_by=first.requested_by)


def erasure(**values):
    return ErasureRequest.objects.create(**{"person": PersonFactory(), "requested_by": UserFactory(), **values})


def hold(**values):
    return LegalHold.objects.create(
        **{"person": PersonFactory(), "reason": "A case", "placed_at": timezone.now(), **values}
    )


def decided_by_oneself():
    user = UserFactory()
    erasure(requested_by=user, decided_by=user)


VIOLATIONS = {
    "privacy_erasurerequest_one_open": lambda: erasure(person=erasure().person, state="approved"),
    "privacy_erasurerequest_state_known": lambda: erasure(state="lost"),
    "privacy_erasurerequest_two_people": decided_by_oneself,
    "privacy_erasurerequest_done_at": lambda: erasure(state="done"),
    "privacy_legalhold_has_reason": lambda: hold(reason=""),
    "privacy_legalhold_released_after": lambda: hold(released_at=timezone.now() - timedelta(days=1)),
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


def test_no_erasure_is_done_beside_a_hold_whoever_says_so():
    held = PersonFactory(merged_into=hold().person)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        erasure(person=held, state="done", erased_at=timezone.now())

    assert refused.value.__cause__.diag.constraint_name == "privacy_erasurerequest_not_held"
