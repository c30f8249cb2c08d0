"""The administration offers what the roles permit, on the rows in sight, and no page of it opens to anybody else."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, get_resolver, reverse

from accounts.models import User
from core.models import CustomField
from core.visibility import visible
from courses.models import Section, SectionInstructor
from tests.authorization.world import ARCHIVED, MISSING_ID, OTHER, OWN, World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep, pytest.mark.checklist(14)]

PAGES: dict[type[Model], Any] = dict(admin.site._registry)
# Part of another row, with which it may be seen.
PERMITTED_AS = {"interop.view_importrow": "interop.view_importjob"}
# What everybody needs to get in and out.
OPEN = {"login", "logout"}


def staff(world: World) -> Iterator[tuple[str, User]]:
    """Yield every actor, all of them as members of staff."""
    for actor, user in world.users.items():
        if user is not None:
            user.is_staff = True
            yield actor, user


def offered(pages: Any, request: Any, row: Any) -> dict[str, bool]:
    """Return what the pages let somebody do with a row."""
    return {verb: getattr(pages, f"has_{verb}_permission")(request, row) for verb in ("view", "change", "delete")}


def permitted(pages: Any, user: User, row: Any) -> dict[str, bool]:
    """Return what the roles and the sight of rows come to, where there is a service for it."""
    rows = pages.model._default_manager.filter(pk=row.pk)
    seen, managed = (visible(rows, user, to=sight).exists() for sight in ("view", "manage"))
    return {
        "view": may(user, pages, "view") and seen,
        "change": pages.crud.update is not None and may(user, pages, "change") and managed,
        "delete": pages.crud.delete is not None and may(user, pages, "delete") and managed,
    }


def may(user: User, pages: Any, verb: str) -> bool:
    name = f"{pages.opts.app_label}.{verb}_{pages.opts.model_name}"
    return user.has_perm(PERMITTED_AS.get(name, name))


def test_what_is_offered_is_what_is_permitted_on_the_rows_in_sight(world: World, rf: RequestFactory) -> None:
    faults = []
    for actor, user in staff(world):
        request = rf.get("/admin/")
        request.user = user
        for model, pages in PAGES.items():
            shown = set(pages.get_queryset(request).order_by().values_list("pk", flat=True))
            if shown != set(visible(model._default_manager.all(), user).order_by().values_list("pk", flat=True)):
                faults.append(f"the list of {model.__name__} shows {actor} other rows than they may see")
            if pages.has_add_permission(request) != (pages.crud.create is not None and may(user, pages, "add")):
                faults.append(f"{actor} and adding a {model.__name__}")
            for target in (OWN, OTHER, ARCHIVED):
                row = world.rows.get(model, {}).get(target)
                if row is not None and offered(pages, request, row) != permitted(pages, user, row):
                    faults.append(f"{actor} is offered {offered(pages, request, row)} of the {target} {model.__name__}")

    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize("actor", ["registrar", "department_head"])
def test_a_section_is_shown_with_those_who_teach_it(world: World, rf: RequestFactory, actor: str) -> None:
    request = rf.get("/admin/")
    request.user = dict(staff(world))[actor]

    parts = PAGES[Section].get_inline_instances(request, world.row(Section, OWN))

    assert SectionInstructor in {part.model for part in parts}


def test_whoever_defines_custom_fields_is_shown_them(world: World, rf: RequestFactory) -> None:
    request = rf.get("/admin/")
    shown = {}
    for actor, user in staff(world):
        request.user = user
        shown[actor] = PAGES[CustomField].has_view_permission(request)

    assert {actor for actor in shown if shown[actor]} >= {"registrar", "system_admin"}


def test_every_page_opens_to_whom_it_is_offered_and_to_nobody_else(world: World, rf: RequestFactory) -> None:
    faults = []
    for actor in ("student", "department_head"):
        with transaction.atomic():
            user, pages_of = entered(world, actor)
            request = rf.get("/admin/")
            request.user = user
            for model, pages in PAGES.items():
                name = f"admin:{pages.opts.app_label}_{pages.opts.model_name}"
                asked: dict[str, bool] = {
                    reverse(f"{name}_changelist"): pages.has_view_or_change_permission(request),
                    reverse(f"{name}_add"): pages.has_add_permission(request),
                }
                for target in (OWN, OTHER):
                    row = world.rows.get(model, {}).get(target)
                    if row is not None:
                        can = permitted(pages, user, row)
                        asked[reverse(f"{name}_change", args=[row.pk])] = can["view"]
                        asked[reverse(f"{name}_history", args=[row.pk])] = can["view"]
                        asked[reverse(f"{name}_delete", args=[row.pk])] = can["view"] and can["delete"]
                for url, opens in asked.items():
                    status = pages_of.get(url).status_code
                    if (status == 200) != opens or (not opens and status not in (302, 403)):
                        faults.append(f"{url} answers {actor} {status}")
            transaction.set_rollback(True)

    assert not faults, "\n" + "\n".join(faults)


def entered(world: World, actor: str) -> tuple[User, Client]:
    """Return an actor as a member of staff who has logged in to the administration."""
    user = world.users[actor]
    assert user is not None
    User.objects.filter(pk=user.pk).update(is_staff=True)
    member, client = User.objects.get(pk=user.pk), Client(raise_request_exception=False)
    client.force_login(member)
    return member, client


def test_no_page_opens_without_logging_in_as_a_member_of_staff(world: World) -> None:
    urls = sorted(set(addresses()))
    with transaction.atomic():
        outsider = world.users["system_admin"]
        assert outsider is not None
        User.objects.filter(pk=outsider.pk).update(is_staff=False)
        nobody, client = Client(raise_request_exception=False), Client(raise_request_exception=False)
        client.force_login(User.objects.get(pk=outsider.pk))
        answers = [(url, each) for url in urls for each in (nobody.get(url), nobody.post(url), client.get(url))]
        transaction.set_rollback(True)

    assert len(urls) > 5 * len(PAGES)
    assert not [
        (url, answer.status_code)
        for url, answer in answers
        if answer.status_code != 302 or not answer["Location"].startswith("/admin/login/")
    ]


def addresses() -> Iterator[str]:
    """Yield an address for every page of the administration, as the resolver knows them."""
    names = get_resolver("campushub360.urls").namespace_dict["admin"][1].reverse_dict
    for name in (name for name in names if isinstance(name, str) and name not in OPEN):
        for possible, *_ in names.getlist(name):
            for template, parameters in possible:
                values = {each: "step" if each == "name" else "accounts" if each == "app_label" else MISSING_ID
                          for each in parameters}  # fmt: skip
                try:
                    yield reverse(f"admin:{name}", kwargs=values)
                except NoReverseMatch:
                    yield "/admin/" + template % values
