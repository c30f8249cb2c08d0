"""Topics are given so that nobody has grounds to trade, and everybody is told what stood in the way of a better one."""

from decimal import Decimal
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.matching import Applicant, Basis, Missed, Offer, Shortage, Supervisor, match


@st.composite
def problems(draw, most=6, longest=4):
    """Applicants, offers and supervisors, few enough for places to run short."""
    supervisors = [f"v{n}" for n in range(draw(st.integers(1, 3)))]
    students = [f"s{n}" for n in range(draw(st.integers(0, most)))]
    offers = [
        Offer(key=f"t{n}", supervisor=draw(st.sampled_from(supervisors)), places=draw(st.integers(0, 3)))
        for n in range(draw(st.integers(1, 5)))
    ]
    topics = st.lists(st.sampled_from([offer.key for offer in offers]), max_size=longest, unique=True)
    applicants = [
        Applicant(key=key, choices=tuple(draw(topics)), merit=Decimal(draw(st.integers(0, 2)))) for key in students
    ]
    ranked = st.lists(st.sampled_from(students), unique=True) if students else st.just([])
    return (
        applicants,
        offers,
        [Supervisor(key=key, places=draw(st.integers(0, 4)), ranking=tuple(draw(ranked))) for key in supervisors],
    )


class Judge:
    """What the paper defines, read from the definitions alone.

    The lot is read back from a contest for one place: whoever wins it is ahead.
    """

    def __init__(self, applicants, offers, supervisors, seed):
        self.applicants = {one.key: one for one in applicants}
        self.offers = {one.key: one for one in offers}
        self.supervisors = {one.key: one for one in supervisors}
        self.seed = seed

    def prefers(self, supervisor, one, other):
        """Whether the supervisor prefers the first of two applicants."""
        ranking = self.supervisors[supervisor].ranking
        if one in ranking or other in ranking:
            return one in ranking and (other not in ranking or ranking.index(one) < ranking.index(other))
        merits = self.applicants[one].merit, self.applicants[other].merit
        return merits[0] > merits[1] if merits[0] != merits[1] else self.lot(one, other)

    def lot(self, one, other):
        pair = [Applicant(key=key, choices=("t",)) for key in (one, other)]
        contest = match(pair, [Offer(key="t", supervisor="v")], [Supervisor(key="v", places=1)], seed=self.seed)
        return contest.given == {one: "t"}

    def holders(self, given, *, topic=None, supervisor=None):
        return [
            who
            for who, what in given.items()
            if what == topic or (supervisor is not None and self.offers[what].supervisor == supervisor)
        ]

    def is_feasible(self, given):
        return all(len(self.holders(given, topic=key)) <= one.places for key, one in self.offers.items()) and all(
            len(self.holders(given, supervisor=key)) <= one.places for key, one in self.supervisors.items()
        )

    def blocks(self, given, student, topic):
        """Whether a student and a topic would both gain by leaving the matching; section 2 of the paper."""
        choices = self.applicants[student].choices
        if student in given and choices.index(given[student]) <= choices.index(topic):
            return False
        supervisor = self.offers[topic].supervisor
        in_topic, with_supervisor = self.holders(given, topic=topic), self.holders(given, supervisor=supervisor)
        if len(in_topic) >= self.offers[topic].places:
            return any(self.prefers(supervisor, student, other) for other in in_topic)
        if len(with_supervisor) < self.supervisors[supervisor].places or student in with_supervisor:
            return True
        return any(self.prefers(supervisor, student, other) for other in with_supervisor)

    def is_stable(self, given):
        return self.is_feasible(given) and not any(
            self.blocks(given, one.key, topic) for one in self.applicants.values() for topic in one.choices
        )

    def every_assignment(self):
        students = list(self.applicants.values())
        for picked in product(*((None, *one.choices) for one in students)):
            yield {one.key: topic for one, topic in zip(students, picked, strict=True) if topic is not None}

    def place(self, given, student):
        """The number of the choice that a student got; nothing comes after the last."""
        choices = self.applicants[student].choices
        return choices.index(given[student]) if student in given else len(choices)


@given(problems(most=9), st.text(max_size=3))
def test_nobody_has_grounds_to_trade_and_no_place_is_given_twice(problem, seed):
    judge = Judge(*problem, seed)

    assert judge.is_stable(match(*problem, seed=seed).given)


@given(problems(most=5, longest=3))
def test_nobody_does_better_in_any_stable_matching(problem):
    judge = Judge(*problem, "seed")
    given = match(*problem, seed="seed").given

    for other in filter(judge.is_stable, filter(judge.is_feasible, judge.every_assignment())):
        assert all(judge.place(given, student) <= judge.place(other, student) for student in judge.applicants)


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_in_which_rows_come_decides_nothing(problem, random):
    shuffled = [random.sample(rows, len(rows)) for rows in problem]

    assert match(*shuffled, seed="seed") == match(*problem, seed="seed")


@given(problems(most=9))
def test_each_better_choice_is_explained_by_those_who_hold_its_places(problem):
    judge = Judge(*problem, "seed")
    matching = match(*problem, seed="seed")

    for outcome in matching.outcomes:
        choices = judge.applicants[outcome.applicant].choices
        assert outcome.rank == (None if outcome.topic is None else choices.index(outcome.topic) + 1)
        better = choices if outcome.rank is None else choices[: outcome.rank - 1]
        assert [(one.rank, one.topic) for one in outcome.missed] == list(enumerate(better, start=1))
        for one in outcome.missed:
            supervisor = judge.offers[one.topic].supervisor
            in_topic = one.shortage is Shortage.TOPIC
            held = judge.holders(matching.given, **({"topic": one.topic} if in_topic else {"supervisor": supervisor}))
            assert len(held) == one.places
            assert all(judge.prefers(supervisor, other, outcome.applicant) for other in held)
            assert one.last_admitted in held or (one.last_admitted is None and not held)
            others = [other for other in held if other != one.last_admitted]
            assert all(judge.prefers(supervisor, other, one.last_admitted) for other in others)


def contest(*applicants, places=1, supervisor_places=5, ranking=()):
    """Return what the last of the applicants for one topic is told about it."""
    supervisor = Supervisor(key="v", places=supervisor_places, ranking=ranking)
    matching = match(applicants, [Offer(key="t", supervisor="v", places=places)], [supervisor], seed="seed")
    return {outcome.applicant: outcome for outcome in matching.outcomes}[applicants[-1].key].missed


def wanting(key, merit=0):
    return Applicant(key=key, choices=("t",), merit=Decimal(merit))


@pytest.mark.parametrize(
    ("missed", "shortage", "places", "basis", "last_admitted"),
    [
        pytest.param(contest(wanting("b", 3), wanting("a", 2)), "topic_full", 1, "merit", "b", id="merit"),
        pytest.param(
            contest(wanting("b", 1), wanting("a", 2), ranking=("b",)), "topic_full", 1, "ranking", "b", id="ranking"
        ),
        pytest.param(
            contest(wanting("b", 3), wanting("a", 2), places=2, supervisor_places=1),
            "supervisor_full",
            1,
            "merit",
            "b",
            id="supervisor",
        ),
        pytest.param(contest(wanting("a", 2), places=0), "topic_full", 0, "no_places", None, id="no places"),
    ],
)
def test_a_missed_choice_names_what_is_full_and_by_what_the_last_one_admitted_is_ahead(
    missed, shortage, places, basis, last_admitted
):
    assert missed == (
        Missed(
            topic="t",
            rank=1,
            shortage=Shortage(shortage),
            places=places,
            basis=Basis(basis),
            last_admitted=last_admitted,
        ),
    )


def test_equals_are_told_apart_by_a_lot_that_the_seed_draws():
    equals = [Applicant(key=f"s{n}", choices=("t",)) for n in range(8)]
    offer, supervisor = Offer(key="t", supervisor="v"), Supervisor(key="v", places=1)
    winners = [match(equals, [offer], [supervisor], seed=str(n)).given for n in range(50)]

    assert len({*map(str, winners)}) == len(equals)
    assert winners[7] == match(equals, [offer], [supervisor], seed="7").given
    others = match(equals, [offer], [supervisor], seed="7").outcomes
    assert {one.missed[0].basis for one in others if one.missed} == {Basis.LOT}


def test_thousands_of_students_take_at_most_one_proposal_for_each_choice():
    random = Random(7)
    supervisors = [Supervisor(key=f"v{n}", places=random.randint(8, 12)) for n in range(500)]
    offers = [Offer(key=f"t{n}", supervisor=f"v{n % 500}", places=random.randint(2, 4)) for n in range(2000)]
    # Some topics are wanted by far more than others.
    weights = [1 / (place + 20) for place in range(len(offers))]
    keys = [offer.key for offer in offers]
    applicants = [
        Applicant(
            key=f"s{n}",
            choices=tuple(dict.fromkeys(random.choices(keys, weights, k=30)))[:10],
            merit=Decimal(random.randint(200, 400)) / 100,
        )
        for n in range(5000)
    ]

    matching = match(applicants, offers, supervisors, seed="seed")

    judge = Judge(applicants, offers, supervisors, "seed")
    assert matching.proposals <= sum(len(one.choices) for one in applicants)
    assert len(matching.outcomes) == len(applicants)
    assert judge.is_feasible(matching.given)


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(([wanting("a"), wanting("a")], [], []), id="an applicant twice"),
        pytest.param(([wanting("a")], [], []), id="an unknown topic"),
        pytest.param(([], [Offer(key="t", supervisor="v")], []), id="an unknown supervisor"),
        pytest.param(([], [], [Supervisor(key="v", places=-1)]), id="fewer places than none"),
        pytest.param(([], [], [Supervisor(key="v", places=1, ranking=("a", "a"))]), id="somebody ranked twice"),
        pytest.param(
            (
                [Applicant(key="a", choices=("t", "t"))],
                [Offer(key="t", supervisor="v")],
                [Supervisor(key="v", places=1)],
            ),
            id="a choice twice",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(problem):
    with pytest.raises(ValueError, match=r"twice|none|topic"):
        match(*problem, seed="seed")
