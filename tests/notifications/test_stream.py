"""The stream of what one is told: in its order, nothing missed, nothing twice, and for no longer than the log-in."""

import json
import re
import socket
import threading
import time
from contextlib import closing
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from accounts.models import Session, SigningKey, User
from accounts.tokens import AccessClaims
from core.streams import let_go
from core.visibility import visible
from notifications import streaming
from notifications.api import stream
from notifications.models import Notification
from notifications.places import Place
from notifications.seats import LEFT, Seat
from notifications.selectors import place_from, told_since
from notifications.streaming import INSPECTED_EVERY, CrowdedError, FullError, Hub
from tests.accounts.factories import UserFactory
from tests.accounts.keys import caller, key_of, program
from tests.local.conftest import eventually
from tests.notifications.factories import NotificationFactory
from tests.notifications.telling import tell

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/notifications/stream/"
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Let heartbeats and inspections come soon."""
    monkeypatch.setattr(stream, "HEARTBEAT_EVERY", 0.2)
    monkeypatch.setattr(streaming, "INSPECTED_EVERY", 1.0)


@pytest.fixture
def listen(client_for):
    """Return a function that opens a stream of an account, and reads it frame by frame."""
    opened = []

    def start(user, *, last="", client=None):
        headers = {"Last-Event-ID": last} if last else {}
        answer = (client or client_for(user)).get(URL, headers={**EVENTS, **headers})
        assert answer.status_code == 200, answer.content
        opened.append(answer)
        return answer, iter(answer.streaming_content)

    yield start
    for answer in opened:
        answer.close()


def claims_of(user, *, expires=None):
    """Return what a token of an account might say."""
    return AccessClaims(
        user_id=user.pk, session_id=user.pk, token_version=1, expires=expires or int(time.time()) + 3600
    )


def frame(text):
    """Return the id, name and data of an event."""
    fields = dict(line.split(": ", 1) for line in text.decode().strip().splitlines())
    return fields.get("id", ""), fields["event"], json.loads(fields["data"])


def events(frames, number, *, seconds=60):
    """Read until so many events have come."""
    found, until = [], time.monotonic() + seconds
    while len(found) < number:
        assert time.monotonic() < until, found
        text = next(frames)
        if b"event: " in text:
            found.append(frame(text))
    return found


def last_of(text):
    return re.search(rb"^id: (.*)$", text, re.MULTILINE)[1].decode()


class TestListening:
    def test_tells_what_one_is_told_while_one_listens_and_nobody_else(self, ada, listen):
        answer, frames = listen(ada)
        opening = next(frames)
        assert streaming.hub().hears(60)

        tell(ada, title="News 1")
        tell(NotificationFactory().recipient, title="Not theirs")
        tell(ada, title="News 2")
        found = events(frames, 2)

        assert answer["Content-Type"] == "text/event-stream"
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["X-Accel-Buffering"] == "no"
        assert 2000 <= int(re.match(rb"retry: (\d+)\nid: ", opening)[1]) <= 6000
        assert [data["title"] for _, _, data in found] == ["News 1", "News 2"]
        assert {name for _, name, _ in found} == {"notification"}
        told = Notification.objects.filter(recipient=ada).order_by("told_in")
        assert [data["id"] for _, _, data in found] == [str(each.pk) for each in told]

    def test_goes_on_where_it_broke_off(self, ada, listen):
        answer, frames = listen(ada)
        first = last_of(next(frames))
        answer.close()
        for number in range(5):
            tell(ada, title=f"News {number}")

        _, again = listen(ada, last=first)
        next(again)
        missed = events(again, 5)
        _, later = listen(ada, last=missed[2][0])
        next(later)

        assert [data["title"] for _, _, data in missed] == [f"News {number}" for number in range(5)]
        assert [data["title"] for _, _, data in events(later, 2)] == ["News 3", "News 4"]

    def test_does_not_begin_with_what_one_was_told_before(self, ada, listen):
        tell(ada, title="Old")
        _, frames = listen(ada)
        next(frames)

        tell(ada, title="New")

        assert [data["title"] for _, _, data in events(frames, 1)] == ["New"]

    def test_costs_no_statement_and_no_connection_while_nothing_happens(self, ada, listen):
        _, frames = listen(ada)
        next(frames)
        assert next(frames) == b": \n\n"
        asked = []

        with connection.execute_wrapper(lambda execute, *args: (asked.append(args[0]), execute(*args))[1]):
            beats = [next(frames) for _ in range(3)]
        held = [each for each in connections.all(initialized_only=True) if each.connection is not None]

        assert beats == [b": \n\n"] * 3
        assert (asked, held) == ([], [])

    def test_asks_once_for_what_is_new_to_any_number(self, ada):
        places = [(ada.pk, place_from(None)), (NotificationFactory().recipient_id, place_from(None))] * 20
        tell(ada, title="News")
        asked = []

        with connection.execute_wrapper(lambda execute, *args: (asked.append(args[0]), execute(*args))[1]):
            told = told_since(places)

        assert [[row.title for row, _ in each.rows] for each in told] == [["News"], []] * 20
        assert len(asked) == 1

    @pytest.mark.checklist(15)
    def test_tells_nobody_what_is_not_theirs_to_see(self, ada):
        grace = UserFactory()
        place = place_from(None)
        tell(ada, title="Ada's")
        tell(grace, title="Grace's")
        NotificationFactory(recipient=ada, is_listed=False)

        told = told_since([(ada.pk, place), (grace.pk, place), (uuid4(), place)])

        assert [[row.title for row, _ in each.rows] for each in told] == [["Ada's"], ["Grace's"], []]
        for account, each in zip((ada, grace), told, strict=False):
            seen = visible(Notification.objects.all(), account)
            assert {row.pk for row, _ in each.rows} == set(seen.values_list("pk", flat=True))

    def test_two_who_listen_hear_each_their_own(self, ada, listen):
        grace = UserFactory()
        frames = {user: listen(user)[1] for user in (ada, grace)}
        for each in frames.values():
            next(each)
        assert streaming.hub().hears(60)

        tell(ada, title="Ada's")
        tell(grace, title="Grace's")
        tell(ada, grace, title="Both")

        heard = {user: [data["title"] for _, _, data in events(each, 2)] for user, each in frames.items()}
        assert heard == {ada: ["Ada's", "Both"], grace: ["Grace's", "Both"]}

    @pytest.mark.parametrize(
        "last",
        [
            "7", "-", "a:b:", "1:2", "0:1:", "2:1:", "1:3:3", "1:4:3,2", "1:4:2,2", "1:4:,", "01:4:", "1:4: 2", "é",
            f"1:{1 << 63}:", f"{'9' * 30}:{'9' * 31}:", "1:4:/1:5:", "1:4:/1:5:/1", f"1:4:/1:5:/x-{'0' * 32}",
            f"1:4:/1:5:/1-{'g' * 32}", f"1:4:/1:5:/1-{'0' * 33}", f"1:4:/5:1:/1-{'0' * 32}", "1:4:" + "/1:4:" * 2000,
        ],
    )  # fmt: skip
    def test_refuses_ids_that_no_stream_has_sent(self, ada, client_for, last):
        answer = client_for(ada).get(URL, headers={"Last-Event-ID": last, **EVENTS})

        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_event_id")

    def test_is_for_those_who_have_logged_in_and_takes_no_token_in_its_address(self, ada, client_for):
        token = client_for(ada)._credentials["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
        anonymous = client_for(None)

        answers = [anonymous.get(URL), anonymous.get(URL, {"token": token}), client_for(ada).get(URL, {"token": token})]

        assert [answer.status_code for answer in answers] == [401, 401, 400]
        assert caller(key_of(program("registrar"), "courses.view_course")).get(URL).json()["code"] == "session_required"

    def test_is_for_those_who_ask_for_events(self, ada, client_for):
        client = client_for(ada)
        answers = [client.get(URL), *(client.get(URL, headers={"Accept": each}) for each in ("*/*", "text/plain", ","))]

        assert [(each.status_code, each.json()["code"]) for each in answers] == [(406, "events_not_accepted")] * 4
        assert streaming.hub().taken == 0

    @pytest.mark.checklist(15)
    def test_is_for_pages_of_this_site_and_of_those_that_are_named(self, ada, client_for, settings):
        settings.CORS_ALLOWED_ORIGINS = ["https://portal.example"]
        client = client_for(ada)
        strange = ["https://evil.example", "null", "", "http://testserver.evil.example", "https://testserver"]
        refused = [client.get(URL, headers={**EVENTS, "Origin": each}) for each in strange]
        welcome = [
            client.get(URL, headers={**EVENTS, "Origin": each})
            for each in ("http://testserver", "https://portal.example")
        ]
        for each in welcome:
            each.close()

        assert [(each.status_code, each.json()["code"]) for each in refused] == [(403, "origin_not_allowed")] * 5
        assert [each.status_code for each in welcome] == [200, 200]

    def test_says_nothing_of_a_stream_to_whoever_asks_for_its_head(self, ada, client_for):
        answer = client_for(ada).head(URL, headers=EVENTS)

        assert (answer.status_code, answer.content) == (200, b"")
        assert streaming.hub().taken == 0


class TestTheEnd:
    @pytest.mark.checklist(15, 35)
    @pytest.mark.parametrize(
        "end",
        [
            lambda user: Session.objects.update(revoked_at=timezone.now()),
            lambda user: Session.objects.update(expires_at=timezone.now()),
            lambda user: User.objects.update(is_active=False),
            lambda user: User.objects.update(token_version=99),
            lambda user: Session.objects.all().delete(),
        ],
    )
    def test_comes_soon_after_the_log_in_ended(self, ada, listen, end):
        _, frames = listen(ada)
        next(frames)
        assert streaming.hub().hears(60)

        end(ada)

        assert events(frames, 1)[0][1] == "end"
        assert list(frames) == []

    @pytest.mark.checklist(15, 35)
    def test_comes_within_five_seconds_however_the_looks_fall(self):
        """Somebody looks again just before it is time to inspect; the rest is for what that takes."""
        assert INSPECTED_EVERY + streaming.LOOKS_EVERY < 5

    @pytest.mark.checklist(15)
    def test_comes_before_anything_is_told_to_whose_log_in_ended(self, ada, listen, monkeypatch):
        """However long ago somebody looked."""
        monkeypatch.setattr(streaming, "INSPECTED_EVERY", 3600.0)
        _, frames = listen(ada)
        next(frames)
        Session.objects.update(revoked_at=timezone.now())

        tell(ada, title="News")

        assert events(frames, 1)[0][1:] == ("end", {"reason": "session_ended"})
        assert list(frames) == []

    def test_comes_when_the_token_expires(self, ada):
        seat = Seat(claims_of(ada, expires=int(time.time()) + 2), place_from(None))

        frames = list(stream._events(streaming.hub(), seat, seat.place))

        assert frame(frames[-1])[1:] == ("end", {"reason": "token_expired"})

    def test_comes_soon_after_a_key_is_no_longer_believed(self, ada, listen):
        _, frames = listen(ada)
        next(frames)

        SigningKey.objects.update(state="gone", private_key=None)

        assert events(frames, 1)[0][1:] == ("end", {"reason": "session_ended"})

    def test_comes_when_the_server_stops_which_takes_nobody_any_more(self, ada, listen, client_for, monkeypatch):
        _, frames = listen(ada)
        next(frames)

        monkeypatch.setattr(streaming, "is_draining", lambda: True)

        assert events(frames, 1)[0][1:] == ("end", {"reason": "server_stops"})
        assert list(frames) == []
        assert client_for(ada).get(URL, headers=EVENTS).status_code == 503

    def test_comes_where_nobody_can_say_whether_the_log_in_is_good(self, ada, listen, monkeypatch):
        _, frames = listen(ada)
        next(frames)

        def fail(*_, **__):
            raise OperationalError("away")

        monkeypatch.setattr(streaming, "LONGEST_UNINSPECTED", 1.5)
        monkeypatch.setattr(streaming, "good_among", fail)

        assert events(frames, 1)[0][1:] == ("end", {"reason": "unavailable"})

    def test_of_what_was_read_leaves_the_rest_for_later(self, ada):
        place = place_from(None)
        seat = Seat(claims_of(ada), place)
        tell(ada, title="One")
        tell(ada, title="Two")
        frames = stream._events(streaming.hub(), seat, place)
        next(frames)
        seat.hand(told_since([(ada.pk, place)])[0])
        first = next(frames)
        seat.end("session_ended")
        rest = list(frames)

        assert [frame(each)[1] for each in rest] == ["end"]
        told = told_since([(ada.pk, Place.read(last_of(first)))])[0]
        assert [row.title for row, _ in told.rows] == ["Two"]

    def test_leaves_the_seat_also_where_nobody_has_begun_to_read(self, ada, listen):
        answer, _ = listen(ada)
        taken = streaming.hub().taken
        answer.close()

        assert (taken, streaming.hub().taken) == (1, 0)


class TestTheHub:
    @pytest.fixture
    def place(self):
        return Place("5:5:")

    @pytest.fixture
    def quiet_hub(self, settings, monkeypatch):
        """A hub that does nothing by itself."""
        found = Hub(settings.REDIS_STATE_URL, "tests:quiet")
        found._threads.append(threading.current_thread())
        return found

    def test_has_so_many_seats_and_so_many_of_one_account(self, ada, quiet_hub, place, monkeypatch):
        seats = [Seat(claims_of(ada), place) for _ in range(streaming.MOST_OF_ONE)]
        for seat in seats:
            quiet_hub.join(seat)
        with pytest.raises(CrowdedError):
            quiet_hub.join(Seat(claims_of(ada), place))
        monkeypatch.setattr(streaming, "MOST", streaming.MOST_OF_ONE)
        stranger = AccessClaims(user_id=UUID(int=1), session_id=ada.pk, token_version=1)
        with pytest.raises(FullError):
            quiet_hub.join(Seat(stranger, place))

        for seat in (*seats, *seats):
            quiet_hub.leave(seat)

        assert quiet_hub.taken == 0

    def test_has_room_for_those_who_come_back_before_anybody_saw_them_go(self, ada, quiet_hub, place, monkeypatch):
        monkeypatch.setattr(streaming, "MOST_OF_ONE", 1)
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            client = socket.create_connection(server.getsockname())
            with closing(server.accept()[0]) as accepted:
                gone = Seat(claims_of(ada), place, accepted)
                quiet_hub.join(gone)
                with pytest.raises(CrowdedError):
                    quiet_hub.join(Seat(claims_of(ada), place))
                client.close()
                assert eventually(lambda: gone.has_left)

                quiet_hub.join(Seat(claims_of(ada), place))

        assert (quiet_hub.taken, gone.over()) == (1, LEFT)

    def test_refuses_more_streams_in_words(self, ada, client_for, monkeypatch):
        client = client_for(ada)
        monkeypatch.setattr(streaming, "MOST_OF_ONE", 0)
        crowded = client.get(URL, headers=EVENTS)
        monkeypatch.setattr(streaming, "MOST_OF_ONE", 1)
        monkeypatch.setattr(streaming, "MOST", 0)
        full = client.get(URL, headers=EVENTS)

        assert (crowded.status_code, crowded.json()["code"], crowded["Retry-After"]) == (429, "too_many_streams", "10")
        assert (full.status_code, full.json()["code"], full["Retry-After"]) == (503, "unavailable", "2")

    def test_tells_people_all_the_same_where_redis_is_away(self, ada, listen, settings):
        settings.REDIS_STATE_URL = "redis://127.0.0.1:1/0"
        _, frames = listen(ada)
        next(frames)

        tell(ada, title="News")

        assert [data["title"] for _, _, data in events(frames, 1)] == ["News"]
        assert not streaming.hub().hears(0)

    def test_goes_on_when_the_database_was_away(self, ada, listen, monkeypatch):
        _, frames = listen(ada)
        next(frames)
        assert streaming.hub().hears(60)
        failures = iter(range(2))

        def fail_twice(listeners):
            if next(failures, None) is not None:
                raise OperationalError("away")
            return told_since(listeners)

        monkeypatch.setattr(streaming, "told_since", fail_twice)
        tell(ada, title="News")

        assert [data["title"] for _, _, data in events(frames, 1)] == ["News"]

    def test_that_is_not_reached_lets_people_be_told_all_the_same(self, ada, settings, caplog):
        settings.REDIS_STATE_URL = "redis://127.0.0.1:1/0"

        tell(ada, title="News")

        assert Notification.objects.get().title == "News"
        assert "notifications.not_rung" in caplog.text


def test_whoever_waits_for_a_transaction_sees_what_it_told(ada, listen):
    _, frames = listen(ada)
    next(frames)
    with transaction.atomic():
        NotificationFactory(recipient=ada, title="First")
        tell(ada, title="Second")

    assert [data["title"] for _, _, data in events(frames, 2)] == ["First", "Second"]
    let_go()
    assert eventually(lambda: streaming.hub().taken == 1)
