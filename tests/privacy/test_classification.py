"""Nothing that leads to a person is left unclassified."""

import pytest
from django.db import models
from django.test.utils import isolate_apps

from accounts.models import Person, Session, User
from core.privacy import declared, faults, registry
from departments.models import TermStateEvent

pytestmark = pytest.mark.checklist(87)


def test_every_model_with_a_way_to_a_person_and_every_column_of_it_is_classified():
    assert list(faults()) == []


@pytest.fixture
def declarations(monkeypatch):
    """The declarations, for a test to change."""
    changed = dict(registry._declared)
    monkeypatch.setattr(registry, "_declared", changed)
    return changed


def test_a_model_that_nobody_classified_is_named_with_the_place_to_do_it(declarations):
    del declarations[Session]
    del declarations[TermStateEvent]

    assert [fault.partition(" leads to people by ")[0] for fault in faults()] == [
        "accounts.Session", "departments.TermStateEvent",
    ]  # fmt: skip
    assert all("privacy.py" in fault and "docs/how-to/privacy-requests.md" in fault for fault in faults())


@isolate_apps("accounts")
def test_a_new_model_is_named_before_anybody_has_thought_of_it(monkeypatch):
    class Diary(models.Model):
        owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

        class Meta:
            app_label = "accounts"

        def __str__(self):
            return str(self.pk)

    monkeypatch.setattr(registry.apps, "get_models", lambda **options: [Diary])

    assert next(faults()).startswith("accounts.Diary leads to people by owner")


def test_a_new_column_and_one_that_is_gone_are_named(declarations):
    declarations[Person] = registry.Personal(
        **{**vars(declarations[Person]), "clears": declarations[Person].clears - {"phone"} | {"fax"}}
    )

    assert [("phone" in fault, "fax" in fault) for fault in faults()] == [(True, False), (False, True)]


def test_a_new_key_to_people_is_named_though_its_model_is_classified(declarations):
    declarations[TermStateEvent] = registry.Impersonal(model=TermStateEvent, mentions={})

    assert "keys to people" in next(faults())


def test_bytes_are_shown_to_nobody(declarations):
    session = declarations[Session]
    declarations[Session] = registry.Personal(
        **{**vars(session), "withholds": {}, "keeps": session.keeps | session.withholds.keys()}
    )

    assert all("holds bytes" in fault for fault in faults())
    assert len(list(faults())) == 2


def test_every_declaration_says_what_it_is_and_how_long_it_is_kept():
    assert all(each.says.endswith(".") and each.kept.endswith(".") for each in declared())
