"""Row visibility: nothing is seen by accident, wherever rows are named."""

import pytest
from django.db.models import Q

from accounts.roles import Role
from core import visibility
from core.ids import new_id
from core.visibility import grants, grants_for, visible
from tests.accounts.factories import UserFactory
from tests.testapp.models import Item, Parent

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_grants(monkeypatch):
    """Begin without any grant, and leave those of the suite as they were."""
    monkeypatch.setattr(visibility, "_grants", type(visibility._grants)(list))


def parents(*codes):
    return [Parent.objects.create(code=code, name=code) for code in codes]


class TestVisible:
    def test_a_model_that_nobody_granted_is_invisible(self, no_grants):
        parents("a")

        assert not visible(Parent.objects.all(), UserFactory()).exists()

    def test_a_grant_may_open_nothing_to_an_actor(self, no_grants):
        grants(Parent)(lambda actor: None)
        parents("a")

        assert not visible(Parent.objects.all(), UserFactory()).exists()

    def test_a_row_that_two_grants_open_appears_once(self, no_grants):
        grants(Parent)(lambda actor: Q(code__startswith="a"))
        grants(Parent)(lambda actor: Q(code__endswith="b"))
        first, second, _ = parents("ab", "bb", "cc")

        assert sorted(visible(Parent.objects.all(), UserFactory()), key=str) == [first, second]

    def test_an_empty_condition_opens_everything_without_a_subquery(self, no_grants):
        grants(Parent)(lambda actor: Q(code="a"))
        grants(Parent)(lambda actor: Q())
        parents("a", "b")

        rows = visible(Parent.objects.all(), UserFactory())

        assert rows.count() == 2
        assert "WHERE" not in str(rows.query)

    def test_several_grants_are_united_so_that_each_keeps_its_index(self, no_grants):
        grants(Parent)(lambda actor: Q(code="a"))
        grants(Parent)(lambda actor: Q(name="b"))

        query = str(visible(Parent.objects.all(), UserFactory()).query)

        assert "UNION ALL" in query
        assert " OR " not in query

    def test_sight_does_not_include_management(self, no_grants):
        grants(Parent)(lambda actor: Q())
        parents("a")

        assert not visible(Parent.objects.all(), UserFactory(), to="manage").exists()

    def test_management_includes_sight(self, no_grants):
        grants(Parent, "manage")(lambda actor: Q())

        assert len(grants_for(Parent)) == len(grants_for(Parent, "manage")) == 1


@pytest.mark.urls("tests.testapp.urls")
class TestOverHttp:
    """The test application hides parents whose code begins with `hidden`."""

    @pytest.fixture
    def client(self, user_with, client_for):
        return client_for(user_with(Role.SYSTEM_ADMIN))

    @pytest.fixture
    def both(self):
        """The ids of a row out of sight and of one that does not exist."""
        return [str(parents("hidden")[0].pk), str(new_id())]

    def same(self, answers):
        """Return the answers' documents without what differs between any two answers."""
        documents = [answer.json() for answer in answers]
        for document in documents:
            del document["request_id"], document["timestamp"]
        return documents

    def test_naming_a_hidden_row_in_a_body_answers_like_naming_a_missing_one(self, client, both):
        answers = [client.post("/api/v1/items/", {"name": "x", "parent": pk}, format="json") for pk in both]

        hidden, missing = self.same(answers)
        assert hidden == missing
        assert (hidden["status"], hidden["code"]) == (400, "does_not_exist")
        assert not Item.objects.exists()

    @pytest.mark.parametrize("method", ["get", "patch", "put", "delete"])
    def test_a_hidden_row_answers_like_a_missing_one(self, client, both, method):
        answers = [getattr(client, method)(f"/api/v1/parents/{pk}/", {}, format="json") for pk in both]

        hidden, missing = self.same(answers)
        assert hidden == missing
        assert (hidden["status"], hidden["code"]) == (404, "not_found")
        assert Parent.objects.count() == 1

    def test_nobody_makes_a_row_that_they_could_not_manage(self, client):
        answer = client.post("/api/v1/parents/", {"code": "hidden-too", "name": "x"}, format="json")

        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
        assert not Parent.objects.exists()

    def test_nobody_changes_a_row_into_one_that_they_could_not_manage(self, client):
        row = parents("seen")[0]

        answer = client.patch(f"/api/v1/parents/{row.pk}/", {"code": "hidden"}, format="json")

        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")
        assert Parent.objects.get().code == "seen"
