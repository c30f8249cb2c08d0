"""Files lie in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from core.models import CustomField
from files.models import FileAsset
from tests.files.contents import PNG, uploaded


@pytest.fixture(autouse=True)
def files_root(settings: Any, tmp_path: Path) -> Path:
    settings.FILES_ROOT = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def asset_of(db: None) -> Callable[..., FileAsset]:
    """Return a function that uploads a picture for somebody."""

    def upload(user: User, content: bytes = PNG, name: str = "photo.png") -> FileAsset:
        return uploaded(user, content, name)

    return upload


@pytest.fixture
def photo(db: None) -> CustomField:
    """A custom field of students that holds a file."""
    return CustomField.objects.create(entity_type="students.student", name="photo", label="Photo", field_type="file")


@pytest.fixture
def client_of(user_with: Any, client_for: Any) -> Callable[..., Any]:
    """Return a function that makes a client of somebody with a role."""

    def make(role: str, person: Any = None) -> Any:
        return client_for(user_with(role, person=person))

    return make
