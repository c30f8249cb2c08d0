"""What `make bench-text` makes of scores. How quick anything is, no test asks."""

import pytest

from benchmarks import paraphrases, texts


def test_the_area_counts_how_often_a_copy_is_above_an_answer_of_ones_own() -> None:
    assert texts.auc([0.9, 0.8], [0.1, 0.2]) == 1
    assert texts.auc([0.1], [0.2]) == 0
    assert texts.auc([0.5, 0.5], [0.5]) == 0.5
    assert texts.auc([0.3, 0.9], [0.5, 0.1]) == 0.75


def test_levels_are_ordered_if_each_is_above_the_next() -> None:
    assert texts.disordered([[1.0], [0.5], [0.1]]) == 0
    assert texts.disordered([[1.0], [0.5], [0.5]]) == 1
    assert texts.in_order([[1.0, 1.0], [0.5, 1.0], [0.1, 0.1]]) == 1


def test_answers_follow_from_their_seed() -> None:
    one, same, other = (list(paraphrases.cases(seed, 2, words=40)) for seed in (1, 1, 2))

    assert one == same != other
    assert all(case.copies["plain"] == case.source != case.independent for case in one)


def test_what_was_found_is_judged_by_level() -> None:
    found = {target.name: target for target in texts.judged(texts.scores_of(paraphrases.cases(3, 5, words=120)))}

    assert all(target.ok for target in found.values() if target.is_promise)
    assert found["score of plain answers, median"].measured == pytest.approx(1)
