"""Places in what one was told: wherever a reader breaks off and comes back, nothing is missing and nothing twice."""

import threading
from uuid import uuid4

import pytest
from django.db import connection, transaction

from notifications import selectors
from notifications.places import NoPlaceError, Place
from notifications.selectors import place_from, told_since
from tests.notifications.factories import NotificationFactory

pytestmark = pytest.mark.django_db(transaction=True)


class TestTheOrder:
    def read_all(self, user, place):
        """Read until there is nothing more, coming back after each notification as if the stream had broken off."""
        found = []
        while True:
            told = told_since([(user.pk, place)])[0]
            if not told.rows and not told.goes_on:
                return found
            if told.rows:
                row, after = told.rows[0]
                found.append(row)
                assert Place.read(str(after)) == after
                place = after
            else:
                place = told.place

    def test_of_transactions_is_that_in_which_they_end_and_nobody_waits_for_a_long_one(self, ada):
        place = place_from(None)
        seen = []

        def meanwhile():
            NotificationFactory(recipient=ada, title="Late, and committed early")
            seen.append(told_since([(ada.pk, place)])[0])
            connection.close()

        with transaction.atomic():
            NotificationFactory(recipient=ada, title="Early, and committed late")
            # Another connection tells something meanwhile, and a reader looks.
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join()
        later = told_since([(ada.pk, seen[0].place)])[0]

        assert [row.title for row, _ in seen[0].rows] == ["Late, and committed early"]
        assert [row.title for row, _ in later.rows] == ["Early, and committed late"]
        assert told_since([(ada.pk, later.place)])[0].rows == []

    def test_of_what_one_transaction_tells_is_that_of_ids(self, ada):
        place = place_from(None)
        with transaction.atomic():
            made = [NotificationFactory(recipient=ada) for _ in range(3)]
        told = told_since([(ada.pk, place)])[0]

        assert [row.pk for row, _ in told.rows] == sorted(each.pk for each in made)
        assert [row.pk for row in self.read_all(ada, place)] == sorted(each.pk for each in made)

    @pytest.mark.parametrize("at_once", [1, 2, 3, 100])
    def test_loses_and_repeats_nothing_wherever_it_breaks_off(self, ada, monkeypatch, at_once):
        """With a transaction that began before all others and ends in the middle of a reading."""
        monkeypatch.setattr(selectors, "MOST_AT_ONCE", at_once)
        place, found = place_from(None), []

        def meanwhile():
            with transaction.atomic():
                made = [NotificationFactory(recipient=ada) for _ in range(2)]
            made += [NotificationFactory(recipient=ada) for _ in range(3)]
            told = told_since([(ada.pk, place)])[0]
            found.extend([made, told.rows[0][0], told.rows[0][1]])
            connection.close()

        with transaction.atomic():
            early = [NotificationFactory(recipient=ada) for _ in range(2)]
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join()
        made, first, after = found
        rows = [first, *self.read_all(ada, after)]

        assert sorted(row.pk for row in rows) == sorted(each.pk for each in [*early, *made])

    def test_is_found_by_an_index(self, ada):
        NotificationFactory.create_batch(3, recipient=ada)
        plans = []

        def explain(execute, sql, params, many, context):
            with connection.connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
            return execute(sql, params, many, context)

        with transaction.atomic(), connection.execute_wrapper(explain):
            told_since([(ada.pk, Place("5:5:"))])

        assert "notifications_by_transaction" in plans[0]
        assert "told_in >=" in plans[0].partition("Index Cond")[2].partition("\n")[0]

    def test_is_not_that_of_a_dump_from_another_server(self, ada):
        """What it has given no number yet is nobody's news, or it would be so for ever."""
        place = place_from(None)
        NotificationFactory(recipient=ada, told_in=1 << 40)

        assert told_since([(ada.pk, place)])[0].rows == []


def test_a_place_of_the_future_is_of_another_server_and_says_nothing():
    now = place_from(None)
    later = Place(f"5:{now.end + 1000}:")

    assert place_from(Place("5:5:")) == Place("5:5:")
    assert place_from(later).end < later.end


def test_places_are_read_as_they_are_written():
    for place in (Place("7:7:"), Place("7:9:7,8"), Place("7:9:8", "8:11:9,10", 8, uuid4())):
        assert Place.read(str(place)) == place
    with pytest.raises(NoPlaceError):
        Place.read("x")
