"""Keys of programs: what they open, from where, and what nobody opens with one."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts import services
from accounts.api_keys import permissions_for_keys
from accounts.models import ApiKey, ApiKeyUse, RoleAssignment, User
from accounts.roles import Role, permissions_of
from accounts.selectors import key_presented
from accounts.services import api_keys
from audit.models import Change, Disclosure, Event
from core.security.limiter import Limit
from tests.accounts.factories import RoleAssignmentFactory, UserFactory
from tests.accounts.keys import ME, answer, bare_key, caller, key_of, program
from tests.courses.factories import CourseFactory
from tests.departments.factories import DepartmentFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db
KEYS, COURSES, STUDENTS = "/api/v1/api-keys/", "/api/v1/courses/", "/api/v1/students/"
IMPORTS = "/api/v1/imports/"
COURSE, STUDENT = "courses.view_course", "students.view_student"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def account():
    return program(Role.REGISTRAR)


@pytest.fixture
def key(account):
    return key_of(account, COURSE, STUDENT)


def sent(client_for, header, **options):
    return answer(client_for(None), HTTP_AUTHORIZATION=header, **options)


@pytest.mark.checklist(40)
class TestWhatAKeyOpens:
    def test_is_what_both_its_scopes_and_the_roles_of_its_account_open(self, account):
        client = caller(bare_key(account, COURSE, "faculty.view_faculty", "interop.view_nothing"))

        me = client.get(ME).json()["data"]

        assert me["permissions"] == [COURSE, "faculty.view_faculty"]
        assert answer(client, COURSES) == (200, None)
        assert answer(client, STUDENTS) == (403, "permission_denied")

    @pytest.mark.checklist(12)
    def test_ends_with_the_role_at_the_next_request(self, account, key):
        client = caller(key)
        assert answer(client, COURSES) == (200, None)

        services.end_assignment(RoleAssignment.objects.get(user=account), by=None)

        assert answer(client, COURSES) == (403, "permission_denied")

    def test_is_only_in_the_scope_of_the_role(self):
        department, other = DepartmentFactory(), DepartmentFactory()
        mine, _ = StudentFactory(department=department), StudentFactory(department=other)
        user = program()
        RoleAssignmentFactory(user=user, role=Role.DEPARTMENT_HEAD, scope_kind="department", scope_id=department.pk)

        rows = caller(key_of(user, STUDENT)).get(STUDENTS).json()["data"]

        assert [row["id"] for row in rows] == [str(mine.pk)]

    def test_never_is_what_takes_somebody_who_has_logged_in(self):
        client = caller(bare_key(program(Role.SYSTEM_ADMIN), *permissions_of(Role.SYSTEM_ADMIN)))
        user = UserFactory()
        assignment = {"user": str(user.pk), "role": Role.SYSTEM_ADMIN}

        assert answer(client, "/api/v1/users/") == (200, None)
        assert client.patch(f"/api/v1/users/{user.pk}/", {"is_staff": True}).status_code == 403
        assert client.post("/api/v1/role-assignments/", assignment).status_code == 403
        assert client.delete(f"/api/v1/users/{user.pk}/sessions/").status_code == 403
        assert answer(client, "/api/v1/person-identifiers/") == (403, "permission_denied")

    def test_asks_a_program_for_no_second_factor(self, settings, key):
        settings.MFA_REQUIRED_ROLES = ["staff"]

        assert answer(caller(key), COURSES) == (200, None)

    @pytest.mark.checklist(26)
    @pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
    def test_never_is_a_session_or_a_key(self, account, method):
        key = bare_key(program(Role.SYSTEM_ADMIN), *permissions_of(Role.SYSTEM_ADMIN))
        client = caller(key)
        urls = {
            "get": ["/api/v1/auth/sessions/", IMPORTS, KEYS, f"{KEYS}{key.pk}/"],
            "post": ["/api/v1/auth/logout/", "/api/v1/auth/password/change/", KEYS, f"{KEYS}{key.pk}/rotate/", IMPORTS],
            "patch": [f"{KEYS}{key.pk}/"],
            "delete": ["/api/v1/auth/sessions/", f"{KEYS}{key.pk}/"],
        }[method]

        answers = [getattr(client, method)(url) for url in urls]

        assert {(each.status_code, each.json()["code"]) for each in answers} == {(403, "session_required")}
        assert ApiKey.objects.get().revoked_at is None

    def test_is_on_record_as_of_its_account(self, account, key):
        student = StudentFactory()

        caller(key).get(f"{STUDENTS}{student.pk}/")

        disclosure = Disclosure.objects.get()
        assert (disclosure.actor_id, disclosure.subject_id) == (account.pk, student.person_id)
        assert disclosure.basis == f"{STUDENT} as registrar"
        assert disclosure.key_prefix == key.prefix

    @pytest.mark.checklist(94)
    def test_is_on_record_by_its_prefix_whatever_it_does(self, account, client_for, user_with):
        key = bare_key(account, COURSE, "courses.change_course")
        course = CourseFactory()

        written = caller(key).patch(f"{COURSES}{course.pk}/", {"level": "graduate"}, format="json")
        assert caller(key).get(STUDENTS).status_code == 403
        client_for(user_with(Role.REGISTRAR)).patch(f"{COURSES}{course.pk}/", {"is_active": False}, format="json")

        assert written.status_code == 200, written.json()
        changes = Change.objects.filter(row_id=str(course.pk), operation="update").order_by("id")
        assert [change.key_prefix for change in changes] == [key.prefix, ""]
        denied = Event.objects.get(action="access.denied")
        assert (denied.actor_id, denied.key_prefix) == (account.pk, key.prefix)
        auditor = client_for(user_with(Role.AUDITOR))
        for url, question, found in (
            ("/api/v1/changes/", {"row": course.pk}, changes[0]),
            ("/api/v1/audit-events/", {"action": "access.denied"}, denied),
        ):
            rows = auditor.get(url, {"key": key.prefix, **question}).json()["data"]
            assert [(row["id"], row["key_prefix"]) for row in rows] == [(found.pk, key.prefix)]


@pytest.mark.checklist(40)
class TestAKeyThatIsNotGood:
    def unusable(self, key):
        """Yield the headers that all have to be answered alike."""
        prefix, secret = key.secret.split("_", 2)[1:]
        yield f"Api-Key chk_aaaaaaaa_{secret}"
        yield f"Api-Key chk_{prefix}_{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}"
        yield f"Api-Key chk_{prefix}_{'A' * 43}"
        yield f"Api-Key {key.secret.upper()}"
        yield f"Api-Key {key.secret}=" + "x" * 10_000
        yield f"Api-Key {key.secret} {key.secret}"
        yield f"api-key {key.secret[4:]}"
        yield "Api-Key"
        yield "Api-Key chk_"
        yield f"Api-Key chk_{prefix}"
        yield "Api-Key chk_ümläuté_" + "ñ" * 43
        yield "Api-Key \x00\xff'; DROP TABLE accounts_apikey; --"

    def test_is_answered_like_every_other(self, client_for, key):
        answers = set()
        for header in self.unusable(key):
            response = client_for(None).get(ME, HTTP_AUTHORIZATION=header)
            problem = response.json()
            answers.add((response.status_code, problem["code"], problem["detail"]))

        assert len(answers) == 1
        assert next(iter(answers))[:2] == (401, "invalid_api_key")

    @pytest.mark.checklist(35)
    @pytest.mark.parametrize(
        "end",
        [
            lambda key: services.revoke_api_key(key, by=None),
            lambda key: services.deactivate_user(User.objects.get(pk=key.user_id), by=None),
            lambda key: ApiKey.objects.update(expires_at=timezone.now()),
        ],
        ids=["revoked", "of a disabled account", "expired"],
    )
    def test_ends_at_the_next_request(self, key, end):
        client = caller(key)
        assert answer(client) == (200, None)

        end(key)

        assert answer(client) == (401, "invalid_api_key")

    def test_expires_to_the_instant(self, key):
        instant = timedelta(microseconds=1)

        before, then = (key_presented(key.secret, at=key.expires_at - left) for left in (instant, 0 * instant))

        assert (before.key, before.fault, then.fault) == (key, "", "expired")

    def test_of_a_person_is_none_however_it_came_about(self):
        person = bare_key(UserFactory(), COURSE)

        assert answer(caller(person)) == (401, "invalid_api_key")

    def test_is_none_in_an_address(self, client_for, key):
        for name in ("api_key", "apikey", "key"):
            assert answer(client_for(None), f"{ME}?{name}={key.secret}")[0] == 401
            assert answer(caller(key), f"{ME}?{name}={key.secret}") == (400, "unknown_parameter")
        assert answer(client_for(None), HTTP_X_API_KEY=key.secret)[0] == 401

    def test_is_counted_like_every_request(self, limits, client_for):
        limits(address=2)

        codes = [sent(client_for, "Api-Key chk_aaaaaaaa_x")[0] for _ in range(3)]

        assert codes == [401, 401, 429]


@pytest.mark.checklist(94)
class TestWhatIsPutOnRecordOfRefusals:
    @pytest.fixture(autouse=True)
    def counted_anew(self, settings):
        settings.RATE_LIMIT_PREFIX = f"test-{uuid4()}"

    def refused(self):
        return [
            (event.subject_id, event.detail["fault"], event.detail["prefix"])
            for event in Event.objects.filter(action="api_key.refused").order_by("id")
        ]

    @pytest.mark.parametrize(
        ("fault", "end"),
        [
            ("wrong", lambda key: setattr(key, "secret", f"{key.secret[:-43]}{'A' * 43}")),
            ("expired", lambda key: ApiKey.objects.update(expires_at=timezone.now())),
            ("revoked", lambda key: services.revoke_api_key(key, by=None)),
            ("disabled", lambda key: User.objects.filter(pk=key.user_id).update(is_active=False)),
        ],
    )
    def test_names_the_key_and_what_was_wrong_once_a_minute(self, key, account, fault, end):
        end(key)

        assert {answer(caller(key)) for _ in range(3)} == {(401, "invalid_api_key")}

        assert self.refused() == [(str(key.pk), fault, key.prefix)]
        event = Event.objects.get(action="api_key.refused")
        assert (event.on_behalf_of, event.actor_id, event.address) == (account.pk, None, "127.0.0.1")
        assert key.secret[-43:] not in str(Event.objects.values().get(pk=event.pk))

    def test_is_a_few_of_what_was_made_up_however_many_were_sent(self, client_for, key):
        for number in range(2, 8):
            sent(client_for, f"Api-Key chk_aaaaaaa{number}_{'A' * 43}")
        for _ in range(2):
            sent(client_for, "Api-Key nonsense", REMOTE_ADDR="192.0.2.9")
        services.revoke_api_key(key, by=None)
        answer(caller(key))

        assert self.refused() == [
            *[("", "unknown", f"aaaaaaa{number}") for number in range(2, 7)],
            *[("", "malformed", "")] * 2,
            (str(key.pk), "revoked", key.prefix),
        ]

    def test_is_bounded_from_everywhere_together(self, client_for, monkeypatch):
        few = Limit("strange_keys", quota=1, seconds=600, burst=3, outage=1)
        monkeypatch.setattr(api_keys, "STRANGE_TOGETHER", few)

        for number in range(6):
            sent(client_for, "Api-Key nonsense", REMOTE_ADDR=f"192.0.2.{number}")

        assert len(self.refused()) == 3


class TestNetworks:
    @pytest.mark.parametrize(
        ("networks", "address", "status"),
        [
            (["192.0.2.0/24"], "192.0.2.200", 200),
            (["192.0.2.0/24"], "192.0.3.1", 401),
            (["192.0.2.7/32", "2001:db8:7::/48"], "2001:db8:7:1::5", 200),
            (["192.0.2.7/32", "2001:db8:7::/48"], "2001:db8:8::5", 401),
            (["192.0.2.0/24"], "::ffff:192.0.2.9", 200),
            (["2001:db8:7::/48"], "192.0.2.7", 401),
            (["192.0.2.0/24"], "", 401),
            ([], "203.0.113.5", 200),
        ],
    )
    @pytest.mark.checklist(40)
    def test_let_in_whoever_is_in_one_of_them(self, account, networks, address, status):
        client = caller(key_of(account, COURSE, ip_networks=networks))

        code = None if status == 200 else "api_key_not_for_address"
        assert answer(client, REMOTE_ADDR=address) == (status, code)

    @pytest.mark.checklist(50)
    def test_are_not_entered_by_a_header(self, account, settings):
        client = caller(key_of(account, COURSE, ip_networks=["192.0.2.0/24"]))
        claim = {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "HTTP_X_REAL_IP": "192.0.2.1", "REMOTE_ADDR": "203.0.113.5"}

        assert answer(client, **claim)[0] == 401

        settings.NUM_PROXIES, settings.TRUSTED_PROXIES = 1, ["203.0.113.5"]
        assert answer(client, **claim)[0] == 200
        assert answer(client, **{**claim, "HTTP_X_FORWARDED_FOR": "192.0.2.1, 198.51.100.1"})[0] == 401

    @pytest.mark.checklist(94)
    def test_put_on_record_who_was_turned_away_once_a_minute(self, account):
        key = key_of(account, COURSE, ip_networks=["192.0.2.0/24"])
        client = caller(key)
        for _ in range(3):
            client.get(ME, REMOTE_ADDR="203.0.113.5")
        ApiKeyUse.objects.update(last_refused_at=timezone.now() - MINUTE)
        client.get(ME, REMOTE_ADDR="203.0.113.6")

        events = Event.objects.filter(action="api_key.used_elsewhere")

        assert sorted(event.address for event in events) == ["203.0.113.5", "203.0.113.6"]
        assert {(event.subject_id, event.on_behalf_of) for event in events} == {(str(key.pk), account.pk)}
        assert ApiKeyUse.objects.get().last_used_at is None


class TestUse:
    def test_costs_one_query_and_is_written_down_once_a_minute(self, key, django_assert_num_queries):
        client = caller(key)
        client.get(ME, REMOTE_ADDR="192.0.2.1")
        first = ApiKeyUse.objects.get()

        with django_assert_num_queries(1):
            client.get(ME, REMOTE_ADDR="192.0.2.2")
        assert ApiKeyUse.objects.get().last_used_at == first.last_used_at

        ApiKeyUse.objects.update(last_used_at=timezone.now() - MINUTE)
        with django_assert_num_queries(2):
            client.get(ME, REMOTE_ADDR="192.0.2.2")
        later = ApiKeyUse.objects.get()
        assert (first.last_used_ip, later.last_used_ip) == ("192.0.2.1", "192.0.2.2")

    def test_is_no_change_of_the_key(self, key):
        before = ApiKey.objects.values().get()
        changes = Change.objects.count()

        caller(key).get(ME)

        assert ApiKey.objects.values().get() == before
        assert Change.objects.count() == changes

    @pytest.mark.checklist(49)
    def test_is_limited_for_each_key(self, limits, account, key):
        limits(key=2, account=50)
        other = caller(key_of(account, COURSE))

        assert [answer(caller(key))[0] for _ in range(3)] == [200, 200, 429]
        assert answer(other)[0] == 200

    @pytest.mark.checklist(69)
    def test_is_answered_to_its_caller_alone(self, account):
        CourseFactory()
        wide, narrow = caller(key_of(account, COURSE)), caller(key_of(account, STUDENT))

        told, refused = wide.get(COURSES), narrow.get(COURSES)

        assert (told.status_code, refused.status_code) == (200, 403)
        for response in (told, refused):
            assert response["Cache-Control"] == "private, no-store"
            assert "Authorization" in response["Vary"]
        unchanged = narrow.get(COURSES, HTTP_IF_NONE_MATCH=told["ETag"])
        assert unchanged.status_code == 403


def test_every_permission_that_a_key_may_have_is_one_that_a_role_gives():
    assert permissions_for_keys() < permissions_of(Role.SYSTEM_ADMIN)
    assert permissions_of(Role.INTEGRATION) <= permissions_for_keys()
