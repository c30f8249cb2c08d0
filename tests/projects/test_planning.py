"""Defences are planned so that nobody and no room is in two places, and what is left over is explained."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.planning import Interval, Obstacle, Reason, Sitting, plan

MORNING = datetime(2026, 6, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hours(start, end):
    return Interval(MORNING + start * HOUR, MORNING + end * HOUR)


@st.composite
def times(draw):
    start = draw(st.integers(0, 6))
    return hours(start, start + draw(st.integers(1, 3)))


@st.composite
def problems(draw):
    """A few defences for which slots, people and rooms may run short; some slots overlap."""
    people, rooms = [f"p{n}" for n in range(5)], [f"r{n}" for n in range(draw(st.integers(0, 3)))]
    sittings = [
        Sitting(
            key=f"d{n}",
            people=frozenset(draw(st.sets(st.sampled_from(people), min_size=1, max_size=3))),
            duration=draw(st.integers(1, 2)) * HOUR,
            rooms=draw(st.none() | st.frozensets(st.sampled_from(["r0", "r1", "elsewhere"]))),
        )
        for n in range(draw(st.integers(0, 7)))
    ]
    slots = draw(st.lists(times(), max_size=6))
    blocked = st.lists(times(), max_size=2)
    return {
        "sittings": sittings,
        "slots": slots,
        "rooms": rooms,
        "blocked_people": {person: draw(blocked) for person in people[:3]},
        "blocked_rooms": {room: draw(blocked) for room in rooms[:2]},
    }


def overlap(one, other):
    return max(one.starts_at, other.starts_at) < min(one.ends_at, other.ends_at)


def fits(problem, sitting, slot, room):
    """Whether a defence could be held there if it were the only one."""
    blocked = [
        *problem["blocked_rooms"].get(room, ()),
        *(time for person in sitting.people for time in problem["blocked_people"].get(person, ())),
    ]
    return (
        slot.ends_at - slot.starts_at >= sitting.duration
        and (sitting.rooms is None or room in sitting.rooms)
        and not any(overlap(slot, time) for time in blocked)
    )


def clash(sittings, one, other):
    together = sittings[one.sitting].people & sittings[other.sitting].people
    return overlap(one.slot, other.slot) and (one.room == other.room or bool(together))


def assert_no_clash(problem, placements):
    sittings = {sitting.key: sitting for sitting in problem["sittings"]}
    for one in placements:
        assert one.slot in problem["slots"]
        assert one.room in problem["rooms"]
        assert fits(problem, sittings[one.sitting], one.slot, one.room)
    for one, other in combinations(placements, 2):
        assert not clash(sittings, one, other)


@given(problems())
def test_nobody_and_no_room_is_in_two_places_or_taken_when_blocked(problem):
    found = plan(**problem)

    assert_no_clash(problem, found.placements)
    keys = [one.sitting for one in (*found.placements, *found.left_over)]
    assert sorted(keys) == sorted(sitting.key for sitting in problem["sittings"])


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_in_which_anything_comes_decides_nothing(problem, random):
    shuffled = {name: random.sample(problem[name], len(problem[name])) for name in ("sittings", "slots", "rooms")}

    assert plan(**{**problem, **shuffled}) == plan(**problem)


@given(problems())
def test_what_is_left_over_has_something_in_its_way_in_every_slot(problem):
    found = plan(**problem)
    sittings = {sitting.key: sitting for sitting in problem["sittings"]}

    for one in found.left_over:
        sitting = sittings[one.sitting]
        alone = any(fits(problem, sitting, slot, room) for slot in problem["slots"] for room in problem["rooms"])
        assert one.is_impossible == (not alone)
        assert {obstacle.slot for obstacle in one.obstacles} == set(problem["slots"])
        for obstacle in one.obstacles:
            assert stands(problem, found.placements, sitting, obstacle)


def stands(problem, placements, sitting, obstacle):
    """Whether an obstacle is what the problem and the plan say."""
    slot, subject = obstacle.slot, obstacle.subject
    at_once = {one.sitting: one for one in placements if overlap(one.slot, slot)}
    suited = [room for room in problem["rooms"] if sitting.rooms is None or room in sitting.rooms]
    match obstacle.reason:
        case Reason.SLOT_TOO_SHORT:
            return slot.ends_at - slot.starts_at < sitting.duration
        case Reason.PERSON_BLOCKED:
            blocked = problem["blocked_people"].get(subject, ())
            return subject in sitting.people and any(overlap(slot, time) for time in blocked)
        case Reason.PERSON_BUSY:
            others = {other.key: other for other in problem["sittings"]}
            return obstacle.taken_by in at_once and subject in sitting.people & others[obstacle.taken_by].people
        case Reason.NO_ROOM_SUITS:
            return not suited
        case Reason.ROOM_BLOCKED:
            return subject in suited and any(overlap(slot, time) for time in problem["blocked_rooms"].get(subject, ()))
        case Reason.ROOM_TAKEN:
            return subject in suited and at_once[obstacle.taken_by].room == subject


def test_a_defence_makes_way_where_it_has_another_place():
    problem = {
        "sittings": [
            Sitting(key="a", people=frozenset({"x", "y"}), duration=HOUR),
            Sitting(key="b", people=frozenset({"x"}), duration=HOUR, rooms=frozenset({"small"})),
            Sitting(key="c", people=frozenset({"y"}), duration=HOUR, rooms=frozenset({"small"})),
        ],
        "slots": [hours(0, 1), hours(1, 2), hours(2, 3)],
        "rooms": ["large", "small"],
        "blocked_people": {},
        "blocked_rooms": {"small": [hours(2, 3)]},
    }

    found = plan(**problem)

    assert not found.left_over
    assert_no_clash(problem, found.placements)


def test_what_is_in_the_way_is_counted_by_slots():
    found = plan(
        [
            Sitting(key="a", people=frozenset({"x"}), duration=HOUR),
            Sitting(key="b", people=frozenset({"x"}), duration=HOUR),
        ],
        [hours(0, 1), hours(1, 2)],
        ["r"],
        blocked_people={"x": [hours(1, 2)]},
        blocked_rooms={},
    )

    (placed,), (left,) = found.placements, found.left_over
    assert placed.slot == hours(0, 1)
    assert not left.is_impossible
    assert left.obstacles == (
        Obstacle(slot=hours(0, 1), reason=Reason.PERSON_BUSY, subject="x", taken_by=placed.sitting),
        Obstacle(slot=hours(0, 1), reason=Reason.ROOM_TAKEN, subject="r", taken_by=placed.sitting),
        Obstacle(slot=hours(1, 2), reason=Reason.PERSON_BLOCKED, subject="x"),
    )
    assert left.tally() == [
        (Reason.PERSON_BLOCKED, "x", 1),
        (Reason.PERSON_BUSY, "x", 1),
        (Reason.ROOM_TAKEN, "r", 1),
    ]


def crowded(seed, count=200, spare=0):
    """Return a problem of so many defences of five people each that has a plan, in which few places are to spare."""
    random = Random(seed)
    rooms = [f"r{n}" for n in range(8)]
    slots = [hours(24 * day + hour, 24 * day + hour + 1) for day in range(5) for hour in range(5 + spare)]
    staff = [f"f{n}" for n in range(60)]
    places = random.sample([(slot, room) for slot in slots for room in rooms], count)
    sittings, held = [], {}
    for number, (slot, _room) in enumerate(sorted(places)):
        free = [person for person in staff if (person, slot) not in held]
        panel = random.sample(free, 4)
        held.update(dict.fromkeys(((person, slot) for person in panel), number))
        sittings.append(Sitting(key=f"d{number}", people=frozenset({f"s{number}", *panel}), duration=HOUR))
    # Everybody has classes at some of the times at which that plan does not need them.
    blocked = {
        person: [slot for slot in slots if (person, slot) not in held and random.random() < 0.3] for person in staff
    }
    return {
        "sittings": sittings,
        "slots": slots,
        "rooms": rooms,
        "blocked_people": blocked,
        "blocked_rooms": {},
    }


# With none to spare, every place in every room is needed.
@pytest.mark.parametrize(("seed", "spare"), [(0, 5), (1, 1), (2, 0)])
def test_two_hundred_defences_of_five_people_find_places_without_a_clash(seed, spare):
    problem = crowded(seed, spare=spare)

    found = plan(**problem)

    assert len(found.placements) == 200
    assert_no_clash(problem, found.placements)


def test_the_search_ends_where_too_much_is_asked_for():
    problem = crowded(4, spare=1)
    problem["slots"] = problem["slots"][:20]

    found = plan(**problem)

    assert len(found.placements) + len(found.left_over) == 200
    assert_no_clash(problem, found.placements)


def test_a_defence_that_comes_twice_is_refused():
    sitting = Sitting(key="a", people=frozenset({"x"}), duration=HOUR)

    with pytest.raises(ValueError, match="twice"):
        plan([sitting, sitting], [], [], blocked_people={}, blocked_rooms={})


def test_a_time_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="ends after"):
        hours(1, 1)
