"""Texts are kept where later ones are compared with them: what is found there, and what is not, and where."""

from random import Random
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from benchmarks.paraphrases import LEVELS, cases
from core.db.constraints import error_for
from core.ids import new_id
from tests.texts.factories import DocumentFactory
from texts import selectors
from texts.models import Document
from texts.selectors import COMMONPLACE, similarity
from texts.services import LONGEST, Entry, TextTooLongError, register, register_many, remove

pytestmark = pytest.mark.django_db

NOW, BEFORE, SOURCES = "tests.submissions", "tests.earlier", "tests.sources"
PASSAGE = "The granary was emptied before the river rose above the third mark of the old bridge"
OWN_WORDS = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, wie man immer wieder liest"


def entry(text: str, corpus: str = NOW, authors: list[UUID] | None = None, owner: UUID | None = None) -> Entry:
    return Entry(corpus=corpus, owner=owner or new_id(), text=text, authors=authors or [])


def nonsense(seed: int, words: int = 60) -> str:
    random = Random(seed)
    return " ".join(
        "".join(random.choice("abcdefghijklmnop") for _ in range(random.randint(3, 9))) for _ in range(words)
    )


def index() -> set[tuple[int, UUID]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash, document_id FROM texts_fingerprint")
        return set(cursor.fetchall())


def test_a_copy_is_found_with_its_source_and_the_places_in_both() -> None:
    source = register(entry(f"{nonsense(1)}. {PASSAGE}. {nonsense(2)}"))
    register_many(entry(nonsense(seed)) for seed in range(10, 30))
    text = f"{OWN_WORDS}. {PASSAGE.upper()}."

    found = similarity(text, corpora=[NOW])

    (one,) = found.sources
    (passage,) = one.comparison.passages
    assert (one.corpus, one.owner) == (NOW, source.owner)
    assert text[slice(*passage.text)] == PASSAGE.upper()
    assert source.text[slice(*passage.source)] == PASSAGE
    assert found.score == one.comparison.score == pytest.approx(len(PASSAGE) / len(text), abs=0.05)


@pytest.mark.parametrize("level", LEVELS)
def test_a_copy_in_other_words_is_found_among_answers_to_the_same_and_other_questions(level: str) -> None:
    made = list(cases(seed=11, count=6, words=250))
    sources = [register(entry(case.source)) for case in made]
    register_many(entry(case.independent) for case in made)

    for case, source in zip(made, sources, strict=True):
        assert similarity(case.copies[level], corpora=[NOW]).sources[0].owner == source.owner


def test_only_the_corpora_that_are_named_are_asked() -> None:
    owners = {corpus: register(entry(PASSAGE, corpus)).owner for corpus in (NOW, BEFORE, SOURCES)}

    assert {each.owner for each in similarity(PASSAGE, corpora=[NOW, SOURCES]).sources} == {
        owners[NOW],
        owners[SOURCES],
    }
    assert similarity(PASSAGE, corpora=["tests.other"]).sources == ()
    assert similarity(PASSAGE, corpora=[]).sources == ()


def test_drafts_of_ones_own_and_of_ones_group_are_left_out() -> None:
    one, other, third = (new_id() for _ in range(3))
    register(entry(PASSAGE, authors=[one, other]))
    register(entry(PASSAGE, BEFORE, authors=[one]))
    theirs = register(entry(PASSAGE, authors=[third]))

    assert [each.owner for each in similarity(PASSAGE, corpora=[NOW, BEFORE], authors=[one]).sources] == [theirs.owner]
    assert similarity(PASSAGE, corpora=[NOW], authors=[other], owners=[theirs.owner]).sources == ()
    assert similarity(PASSAGE, corpora=[NOW], authors=[third]).sources[0].authors == tuple(sorted([one, other]))


def test_quotations_and_references_are_compared_unless_they_are_to_be_left_out() -> None:
    book = "Meyer, Anna (1987). On granaries and the rivers beside them. Vienna: Flood Press."
    register(entry(f"{PASSAGE}.\n\n{book}", SOURCES))
    text = f"{OWN_WORDS}: “{PASSAGE}.”\n\nReferences\n{book}\n"

    assert similarity(text, corpora=[SOURCES]).score > 0.5
    assert len(similarity(text, corpora=[SOURCES], without_quotations=True).sources[0].comparison.passages) == 1
    without = similarity(text, corpora=[SOURCES], without_quotations=True, without_references=True)
    assert (without.score, without.sources) == (0.0, ())
    assert [text[slice(*span)] for span in without.left_out] == [f"“{PASSAGE}.”", f"References\n{book}"]


def test_what_very_many_texts_have_leads_to_none_of_them() -> None:
    register_many(entry(f"{PASSAGE}. {nonsense(seed, 20)}") for seed in range(COMMONPLACE + 1))
    own = nonsense(5, 20)

    found = similarity(f"{PASSAGE}. {own}", corpora=[NOW])
    task = similarity(PASSAGE, corpora=[NOW])

    assert own in Document.objects.get(owner=found.sources[0].owner).text
    assert found.score == 1.0
    assert 0 < found.commonplace < 1
    assert (task.sources, task.commonplace) == ((), 1.0)


def test_a_search_asks_the_database_twice_however_much_there_is(django_assert_num_queries) -> None:
    register_many(entry(f"{PASSAGE}. {nonsense(seed)}") for seed in range(30))

    with django_assert_num_queries(2):
        assert len(similarity(PASSAGE, corpora=[NOW]).sources) == selectors.COMPARED


def test_a_search_probes_the_index_of_hashes() -> None:
    register_many(entry(nonsense(seed)) for seed in range(50))
    facts = {
        "hashes": Document.objects.latest("created_at").hashes, "corpora": [NOW], "authors": [], "owners": [],
        "most": 5, "commonplace": COMMONPLACE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE texts_fingerprint")
        cursor.execute(f"EXPLAIN {selectors._CANDIDATES}", facts)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "texts_fingerprint_pkey" in plan
    assert "Seq Scan on texts_fingerprint" not in plan


def test_a_text_that_is_registered_again_takes_the_place_of_the_former() -> None:
    owner = new_id()
    former = register(entry(PASSAGE, owner=owner))
    again = register(entry(OWN_WORDS, owner=owner))

    assert (again, again.text, Document.objects.count()) == (former, OWN_WORDS, 1)
    assert similarity(PASSAGE, corpora=[NOW]).sources == ()
    assert similarity(OWN_WORDS, corpora=[NOW]).score == 1.0


def test_the_index_is_what_the_texts_say_whoever_writes() -> None:
    def derived() -> set[tuple[int, UUID]]:
        return {(hash_, pk) for pk, hashes in Document.objects.values_list("pk", "hashes") for hash_ in hashes}

    owner = new_id()
    register_many([entry(PASSAGE, owner=owner), entry(f"{PASSAGE} {nonsense(1)}"), entry(nonsense(2))])
    assert index() == derived() != set()

    register(entry(OWN_WORDS, owner=owner))
    assert index() == derived()

    Document.objects.filter(owner=owner).update(hashes=[3, 3, 1])
    assert {hash_ for hash_, pk in index() if pk == Document.objects.get(owner=owner).pk} == {1, 3}

    assert remove(corpus=NOW, owner=owner)
    assert not remove(corpus=NOW, owner=owner)
    assert index() == derived() != set()

    Document.objects.all().delete()
    assert index() == set()


def test_what_a_database_cannot_keep_is_replaced_sign_by_sign() -> None:
    kept = register(entry(f"\0\ud800{PASSAGE}"))
    kept.refresh_from_db()

    assert kept.text == f"\ufffd\ufffd{PASSAGE}"
    assert similarity(f"\0\ud800{PASSAGE}", corpora=[NOW]).sources[0].comparison.passages[0].text == (
        2,
        len(PASSAGE) + 2,
    )


def test_a_text_without_a_word_is_kept_and_found_by_nobody() -> None:
    register_many([entry(""), entry("..."), entry("\0")])

    assert similarity("...", corpora=[NOW]) == similarity("", corpora=[NOW])
    assert similarity("", corpora=[NOW]).sources == ()


def test_a_text_that_is_too_long_is_refused_and_nothing_is_kept() -> None:
    with pytest.raises(TextTooLongError):
        register_many([entry(PASSAGE), entry("a" * (LONGEST + 1))])

    assert not Document.objects.exists()


BROKEN = {
    "texts_document_one_of_each": lambda: DocumentFactory(owner=DocumentFactory().owner),
    "texts_document_in_a_corpus": lambda: DocumentFactory(corpus=""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_constraint_refuses_what_it_names(name: str) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        BROKEN[name]()

    assert refused.value.__cause__.diag.constraint_name == name
    assert error_for(refused.value) is not None
    assert {each.name for each in Document._meta.constraints} == BROKEN.keys()


def test_a_text_is_read_beside_the_latest_of_its_corpora(django_assert_num_queries) -> None:
    register_many(entry(f"Their garden was described by somebody who visits it in year {n}.") for n in range(30))
    text = "Their granary was described by somebody who visits it."

    with django_assert_num_queries(1):
        found = selectors.analysis(text, corpora=[NOW])
    with django_assert_num_queries(0):
        alone = selectors.analysis(text)

    assert [each.phrase for each in found.keywords] == ["granary"]
    assert len(alone.keywords) > 1
    assert (found.readability.words, found.hints) == (9, ())
