"""Somebody who has projects, somebody else, and those who answer for all."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import Role


@pytest.fixture
def ada(user_with: Callable[..., User]) -> User:
    return user_with(Role.STUDENT, email="ada@example.org")


@pytest.fixture
def client(ada: User, client_for: Callable[[User | None], APIClient]) -> APIClient:
    """An API client of Ada."""
    return client_for(ada)


@pytest.fixture
def other(user_with: Callable[..., User]) -> User:
    return user_with(Role.STUDENT, email="eve@example.org")


@pytest.fixture
def administrator(user_with: Callable[..., User]) -> User:
    return user_with(Role.SYSTEM_ADMIN, is_staff=True)
