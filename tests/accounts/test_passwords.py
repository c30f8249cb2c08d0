"""Which passwords are accepted, and how the owner of an account changes theirs."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import services
from accounts.models import Session, User
from accounts.roles import Role
from accounts.services.guesses import FREE
from accounts.services.password_rules import common_passwords, require_acceptable
from audit.models import Event
from campushub360.settings.faults import faults
from core.errors import InvalidError
from tests.accounts.factories import PersonFactory, UserFactory
from tests.local.test_production_settings import SAFE

pytestmark = pytest.mark.django_db
TOKEN, CHANGE, ME, LOGOUT = (f"/api/v1/auth/{name}/" for name in ("token", "password/change", "me", "logout"))
PASSWORD, BETTER = "correct horse battery staple", "wrong donkey charger paperclip"
ADMIN_CHANGE = "/admin/password_change/"


@pytest.fixture
def ada() -> User:
    person = PersonFactory(first_name="Augusta", last_name="Lovelace")
    return services.create_user(by=None, email="ada.king@analytical.example", password=PASSWORD, person=person)


def refusal(password: str, **options: Any) -> str:
    """Return the code by which a password is refused; nothing when it is accepted."""
    try:
        require_acceptable(password, **options)
    except InvalidError as refused:
        return refused.error_code
    return ""


class TestRules:
    @pytest.mark.checklist(17)
    @pytest.mark.parametrize("password", ["fourteen chars", "ü" * 7 + "äö" * 3])
    def test_refuse_fewer_than_fifteen_characters(self, password: str) -> None:
        assert refusal(password) == "password_too_short"

    @pytest.mark.checklist(17)
    @pytest.mark.parametrize("length", [15, 64, 1000])
    def test_accept_many_characters(self, length: int) -> None:
        words = "mauve otters juggle seven quiet lanterns by dawn; "

        assert refusal((words * 20)[:length]) == ""
        assert refusal((words * 21)[:1001]) == "password_too_long"

    @pytest.mark.checklist(17)
    def test_let_a_password_grow_old(self, ada: User) -> None:
        opened = services.log_in(email=ada.email, password=PASSWORD, at=timezone.now() + timedelta(days=3650))

        assert opened.access
        assert User.objects.filter(pk=ada.pk, must_change_password=False).exists()

    @pytest.mark.checklist(17)
    def test_ask_for_less_beside_a_second_factor(self) -> None:
        assert refusal("otterjug", has_second_factor=True) == ""
        assert refusal("otterju", has_second_factor=True) == "password_too_short"
        assert refusal("password", has_second_factor=True) == "password_too_common"

    @pytest.mark.checklist(17)
    @pytest.mark.parametrize(
        "password",
        [
            "mauveottersjuggle",
            "MAUVEOTTERSJUGGLE",
            "90210 8675309 42 17 3",
            "ключ под ковриком",
            "猫が窓辺で静かに本を読んでいる朝",
        ],
    )
    def test_prescribe_no_kind_of_character(self, password: str) -> None:
        assert refusal(password) == ""

    @pytest.mark.checklist(18)
    def test_know_twenty_thousand_that_are_tried_first(self) -> None:
        assert len(common_passwords()) >= 3000
        assert {refusal(each) for each in common_passwords() if len(each) >= 15} == {"password_too_common"}

    @pytest.mark.checklist(18)
    @pytest.mark.parametrize(
        "password",
        [
            "passwordpassword", "P@ssw0rd P@ssw0rd", "Letmein-Letmein-Letmein", "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc", "12345678901234567890", "abcdefghijklmnopq", "qwertyuiopasdfgh",
            "QWERTZUIOPasdfgh", "zyxwvutsrqponmlk", "abcdefgh12345678",
            "!!!!!!!!!!!!!!!!", "\uff11\uff12\uff13\uff14\uff15" * 3,
        ],
    )  # fmt: skip
    def test_refuse_what_is_tried_first_and_patterns(self, password: str) -> None:
        assert refusal(password) == "password_too_common"

    @pytest.mark.checklist(18)
    @pytest.mark.parametrize(
        "password",
        [
            "CampusHub360 2026",
            "campushub360password",
            "C@mpusHub360!!!!",
            "Ada.King@analytical",
            "lovelaceaugusta1815",
            "University of Elsewhere",
        ],
    )
    def test_refuse_little_more_than_what_is_known(self, ada: User, settings: Any, password: str) -> None:
        settings.INSTITUTION_NAME = "University of Elsewhere"

        with pytest.raises(InvalidError) as refused:
            services.update_user(ada, by=None, password=password)

        assert refused.value.error_code == "password_too_personal"

    @pytest.mark.checklist(18)
    def test_accept_a_sentence_with_a_name_in_it(self, ada: User) -> None:
        services.update_user(ada, by=None, password="lovelace saw further than babbage")

    @pytest.mark.checklist(18)
    def test_refuse_what_a_file_of_stolen_ones_holds(self, tmp_path: Path, settings: Any) -> None:
        stolen = [f"stolen password number {number}" for number in range(500)]
        sums = sorted(hashlib.sha1(each.encode(), usedforsecurity=False).hexdigest().upper() for each in stolen)
        settings.BREACH_LIST_FILE = str(tmp_path / "stolen.txt")

        for text in ("\r\n".join(f"{each}:{count}" for count, each in enumerate(sums)), "\n".join(sums) + "\n"):
            Path(settings.BREACH_LIST_FILE).write_text(text, newline="")
            assert {refusal(each) for each in stolen} == {"password_stolen"}
            assert {refusal(f"{each}!") for each in stolen} == {""}

    def test_need_their_file(self) -> None:
        assert faults({**SAFE, "BREACH_LIST_FILE": "/nowhere"}) == [
            "BREACH_LIST_FILE names /nowhere, which cannot be read"
        ]

    @pytest.mark.checklist(17, 18)
    def test_hold_for_the_api_the_administration_pages_and_commands(
        self, user_with: Any, client_for: Any, client: Any
    ) -> None:
        admin = user_with(Role.SYSTEM_ADMIN, is_staff=True)
        client.force_login(admin)
        account = {"email": "new@example.org", "is_active": "on", "password": "passwordpassword"}

        answer = client_for(admin).post("/api/v1/users/", {"email": "new@example.org", "password": "passwordpassword"})
        page = client.post("/admin/accounts/user/add/", account)
        with pytest.raises(CommandError, match="among the first that anybody tries"):
            call_command("create_administrator", "new@example.org", "--password", "passwordpassword")

        assert [error["code"] for error in answer.json()["errors"]] == ["password_too_common"]
        assert "among the first that anybody tries" in page.content.decode()
        assert not User.objects.filter(email="new@example.org").exists()


def logged_in(client: Any, user: User) -> Any:
    client.credentials()
    pair = client.post(TOKEN, {"email": user.email, "password": PASSWORD}).json()["data"]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    client.refresh_token = pair["refresh"]
    return client


def changed(client: Any, current: str = PASSWORD, new: str = BETTER) -> Any:
    return client.post(CHANGE, {"current_password": current, "new_password": new})


def refused(answer: Any) -> tuple[int, str, str]:
    [error] = answer.json()["errors"]
    return answer.status_code, error["code"], error["field"]


class TestChange:
    @pytest.mark.checklist(35)
    def test_ends_the_other_sessions_and_goes_on_in_this_one(self, ada: User, client_for: Any) -> None:
        here, elsewhere = (logged_in(client_for(None), ada) for _ in range(2))

        answer = changed(here)

        assert answer.status_code == 200
        assert (here.get(ME).status_code, elsewhere.get(ME).status_code) == (401, 401)
        here.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['data']['access']}")
        assert here.get(ME).status_code == 200
        elsewhere.credentials()
        assert elsewhere.post("/api/v1/auth/token/refresh/", {"refresh": elsewhere.refresh_token}).status_code == 401
        assert here.post("/api/v1/auth/token/refresh/", {"refresh": here.refresh_token}).status_code == 200
        assert check_password(BETTER, User.objects.get(pk=ada.pk).password)
        assert Event.objects.get(action="password.changed").actor_id == ada.pk

    @pytest.mark.checklist(37)
    def test_asks_for_the_present_password(self, ada: User, client_for: Any) -> None:
        client = logged_in(client_for(None), ada)

        assert refused(changed(client, current=BETTER)) == (400, "wrong_password", "current_password")
        assert check_password(PASSWORD, User.objects.get(pk=ada.pk).password)
        assert Session.objects.filter(revoked_at=None).count() == 1

    @pytest.mark.checklist(22, 37)
    def test_lets_a_stolen_session_guess_a_few_times_without_locking_the_owner_out(
        self, ada: User, client_for: Any
    ) -> None:
        thief = logged_in(client_for(None), ada)
        for _ in range(FREE):
            changed(thief, current="a guess")

        assert refused(changed(thief)) == (403, "too_many_guesses", "current_password")
        assert changed(logged_in(client_for(None), ada)).status_code == 200

    @pytest.mark.parametrize(
        ("new", "code"),
        [
            ("short", "password_too_short"),
            ("aaaaaaaaaaaaaaaa", "password_too_common"),
            (PASSWORD, "password_unchanged"),
        ],
    )
    def test_follows_the_rules(self, ada: User, client_for: Any, new: str, code: str) -> None:
        assert refused(changed(logged_in(client_for(None), ada), new=new)) == (400, code, "new_password")

    @pytest.mark.checklist(37)
    @pytest.mark.parametrize("change", [{"password": BETTER}, {"email": "thief@example.org"}])
    def test_is_the_only_way_to_ones_own(self, user_with: Any, client_for: Any, change: dict[str, str]) -> None:
        admin = user_with(Role.SYSTEM_ADMIN)

        answer = client_for(admin).patch(f"/api/v1/users/{admin.pk}/", change)

        assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
        assert User.objects.get(pk=admin.pk).email == admin.email

    def test_of_the_administration_pages_ends_the_sessions_of_the_api(
        self, ada: User, client: Any, client_for: Any
    ) -> None:
        User.objects.filter(pk=ada.pk).update(is_staff=True)
        api = logged_in(client_for(None), ada)
        client.force_login(User.objects.get(pk=ada.pk))
        form = {"old_password": PASSWORD, "new_password1": BETTER, "new_password2": BETTER}

        wrong = client.post(ADMIN_CHANGE, {**form, "old_password": "a guess"})
        short = client.post(ADMIN_CHANGE, {**form, "new_password1": "short", "new_password2": "short"})
        done = client.post(ADMIN_CHANGE, form)

        assert "This is not the present password." in wrong.content.decode()
        assert "at least 15 characters" in short.content.decode()
        assert done.status_code == 302
        assert client.get("/admin/").status_code == 200
        assert api.get(ME).status_code == 401


class TestPasswordThatMustBeChanged:
    @pytest.fixture
    def newcomer(self, user_with: Any) -> User:
        admin = user_with(Role.SYSTEM_ADMIN, email="new@example.org", is_staff=True)
        return services.update_user(admin, by=None, password=PASSWORD, must_change_password=True)

    def test_opens_nothing_else(self, newcomer: User, client_for: Any) -> None:
        client = logged_in(client_for(None), newcomer)

        answers = [client.get(f"/api/v1/{name}/") for name in ("users", "roles", "auth/sessions", "rooms")]

        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
            (403, "password_change_required")
        }
        assert client.get(ME).json()["data"]["must_change_password"] is True
        assert client.post(LOGOUT).status_code == 204

    def test_opens_everything_once_it_is_changed(self, newcomer: User, client_for: Any) -> None:
        client = logged_in(client_for(None), newcomer)

        access = changed(client).json()["data"]["access"]
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")

        assert client.get("/api/v1/users/").status_code == 200
        assert client.get(ME).json()["data"]["must_change_password"] is False

    def test_leads_to_its_change_on_the_administration_pages(self, newcomer: User, client: Any) -> None:
        client.force_login(newcomer)

        assert client.get("/admin/accounts/user/").url == ADMIN_CHANGE
        assert client.get(ADMIN_CHANGE).status_code == 200
        client.post(ADMIN_CHANGE, {"old_password": PASSWORD, "new_password1": BETTER, "new_password2": BETTER})
        assert client.get("/admin/accounts/user/").status_code == 200

    def test_is_nobodys_affair_but_of_those_who_are_logged_in(self, client: Any) -> None:
        UserFactory(must_change_password=True)

        assert client.get("/admin/").url.startswith("/admin/login/")
