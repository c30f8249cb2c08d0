"""Texts are forgotten after some years, are in their authors' exports, go with an erasure, and have no history."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Change
from privacy.services import erase_person, place_hold, release_hold
from privacy.services.archive import write_archive
from privacy.services.subjects import subject_of
from tests.accounts.factories import PersonFactory
from tests.texts.factories import DocumentFactory
from texts.models import Document
from texts.services import KEPT, documents_due, purge_documents, register
from texts.services.registering import Entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return PersonFactory()


def test_a_text_is_forgotten_after_its_time_unless_records_of_an_author_are_held(person):
    DocumentFactory(authors=[PersonFactory().pk, person.pk])
    DocumentFactory(authors=[person.pk])
    now = timezone.now()
    Document.objects.filter(authors__len=2).update(created_at=now - KEPT - timedelta(minutes=1))

    hold = place_hold(by=None, person=person, reason="A case")
    held = purge_documents(now), documents_due(now).count()
    release_hold(hold, by=None, at=timezone.now(), reason="Closed")

    assert held == (0, 0)
    assert purge_documents(now) == 1
    assert [len(document.authors) for document in Document.objects.all()] == [1]


@pytest.mark.checklist(87)
def test_an_export_has_ones_texts_and_not_the_numbers_by_which_they_are_found(person):
    DocumentFactory(authors=[person.pk], text="By my own hand.")
    DocumentFactory(text="By another.")
    target = io.BytesIO()

    write_archive(target, subject_of(person.pk), to_themselves=True, at=timezone.now())

    with zipfile.ZipFile(target) as archive:
        (name,) = [name for name in archive.namelist() if name == "texts.document.json"]
        content = archive.read(name).decode()
    assert "By my own hand." in content
    assert "By another." not in content


@pytest.mark.checklist(88)
def test_erasure_takes_texts_of_ones_own_and_leaves_those_of_others_to_them(person):
    other = PersonFactory()
    DocumentFactory(authors=[person.pk], text="mine")
    DocumentFactory(authors=[other.pk, person.pk], text="ours")
    DocumentFactory(authors=[other.pk], text="theirs")
    DocumentFactory(text="published")

    planned = erase_person(person.pk, dry_run=True)
    done = erase_person(person.pk, dry_run=False)

    assert dict(Document.objects.values_list("text", "authors")) == {
        "ours": [other.pk],
        "theirs": [other.pk],
        "published": [],
    }
    assert planned == done


def test_no_copy_of_a_text_is_left_in_a_history(person):
    before = Change.objects.count()
    register(Entry(corpus="tests", owner=person.pk, text="Something", authors=[person.pk]))

    assert Change.objects.count() == before
