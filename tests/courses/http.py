"""What the tests of resources say again and again."""

COURSES, REQUISITES, SECTIONS, MEETINGS = (
    f"/api/v1/{name}/" for name in ("courses", "requisites", "sections", "meetings")
)
MISSING = "00000000-0000-7000-8000-000000000000"


def url_of(base, row, *rest):
    return "/".join([f"{base}{row.pk}", *rest, ""])


def codes(response):
    return [(error["code"], error["field"]) for error in response.json()["errors"]]


def ids(response):
    return [row["id"] for row in response.json()["data"]]
