"""The terms of the demo university suit the day it is made up for, whichever day that is."""

import itertools
from datetime import date, timedelta

from campushub360.demo.university import SCALES, University
from departments.models import TermState


def test_on_every_day_of_the_year_the_states_of_the_terms_follow_the_calendar() -> None:
    for number in range(366):
        day = date(2027, 6, 1) + timedelta(days=number)
        terms = list(University(SCALES["small"], 1, day).term_rows())

        assert len(terms) == 6, day
        assert all(one["ends_on"] < other["starts_on"] for one, other in itertools.pairwise(terms)), day
        for term in terms:
            assert (term["state"] == TermState.IN_PROGRESS) == (term["starts_on"] <= day <= term["ends_on"]), day
            assert (term["state"] == TermState.REGISTRATION) == (day < term["starts_on"]), day


def test_on_every_day_of_the_year_some_term_is_not_over() -> None:
    for number in range(366):
        day = date(2027, 6, 1) + timedelta(days=number)
        states = {row["state"] for row in University(SCALES["small"], 1, day).term_rows()}

        assert states - {TermState.CLOSED}, day
