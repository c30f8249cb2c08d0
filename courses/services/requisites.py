"""What changes requisites: expressions over courses, credits, standing, programs and consent.

    {"all": [<expr>, …]}  {"any": [<expr>, …]}
    {"course": "CS101"}  {"course": "CS101", "min_grade": "C+"}
    {"credits": "30"}  {"standing": "junior"}  {"program": "BSC-CS"}  {"consent": "instructor"}

What is stored is well-formed and names what exists, and is there to be read: nothing evaluates it, and
enrolling does not ask for it. The courses that an expression names are also rows, so that they cannot
be deleted and cycles are found by the database's own indexes.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import connection, transaction

from core import crud
from core.errors import ConflictError, DomainError, InvalidError, ViolationsError
from core.visibility import Actor
from courses.models import Course, CourseVersion, Requisite, RequisiteCourse, RequisiteKind
from departments.models import Program

DEEPEST = 10
MOST_NODES = 200
MOST_CREDITS = Decimal("999.99")
CONSENTS = ("instructor", "department")
# Sets the advisory lock on the graph of prerequisites apart from others of the two-key kind.
PREREQUISITE_LOCK = 0x5251


class RequisiteValues(TypedDict, total=False):
    course_version: CourseVersion
    kind: str
    expr: dict[str, Any]


class InvalidRequisiteError(InvalidError):
    """A part of an expression is none of the known ones."""

    code = "invalid_requisite"
    title = "This is not a part that a requisite can have."


class UnknownCodeError(InvalidError):
    """An expression names a course or program that does not exist."""

    code = "unknown_code"
    title = "A requisite names a course or program that does not exist."


class RequisiteCycleError(ConflictError):
    """A course would need itself, directly or through others."""

    code = "requisite_cycle"
    title = "A course cannot be its own prerequisite, directly or through others."
    field = "expr"


@transaction.atomic
def create_requisite(*, by: Actor | None, **values: Unpack[RequisiteValues]) -> Requisite:
    """Add a requisite to a version of a course.

    Refused with `invalid_requisite`, `unknown_code`, and `requisite_cycle` for a prerequisite that
    leads back to the course.
    """
    expr, courses = _checked(values.get("expr"))
    requisite = crud.create(Requisite, {**values, "expr": expr})
    _name(requisite, courses)
    return requisite


@transaction.atomic
def update_requisite(requisite: Requisite, *, by: Actor | None, **changes: Unpack[RequisiteValues]) -> Requisite:
    """Change a requisite; refused for the same reasons as adding one."""
    expr, courses = _checked(changes.get("expr", requisite.expr))
    crud.update(requisite, {**changes, "expr": expr})
    _name(requisite, courses)
    return requisite


@transaction.atomic
def delete_requisite(requisite: Requisite, *, by: Actor | None) -> None:
    """Remove a requisite."""
    crud.delete(requisite)


def copy_requisites(former: CourseVersion, version: CourseVersion) -> None:
    """Give a version the requisites of the one before it."""
    for requisite in Requisite.objects.filter(course_version=former).order_by("pk"):
        copied = crud.create(Requisite, {"course_version": version, "kind": requisite.kind, "expr": requisite.expr})
        named = RequisiteCourse.objects.filter(requisite=requisite).values_list("course_id", flat=True)
        RequisiteCourse.objects.bulk_create(RequisiteCourse(requisite=copied, course_id=named_id) for named_id in named)


def rename_course(course: Course, former_code: str) -> None:
    """Let the expressions that name a course, which are locked, use its present code."""
    for requisite in (
        Requisite.objects.filter(named_courses__course=course)
        .order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    ):
        crud.update(requisite, {"expr": _renamed(requisite.expr, former_code, course.code)})


def _renamed(node: dict[str, Any], former: str, code: str) -> dict[str, Any]:
    if node.get("course") == former:
        return {**node, "course": code}
    return {
        name: [_renamed(child, former, code) for child in value] if name in ("all", "any") else value
        for name, value in node.items()
    }


def _name(requisite: Requisite, courses: Iterable[Course]) -> None:
    """Record which courses an expression names, and refuse a cycle."""
    named = {course.pk for course in courses}
    own = requisite.course_version.course_id
    if own in named:
        raise RequisiteCycleError
    rows = RequisiteCourse.objects.filter(requisite=requisite)
    present = set(rows.values_list("course_id", flat=True))
    rows.exclude(course__in=named).delete()
    RequisiteCourse.objects.bulk_create(
        RequisiteCourse(requisite=requisite, course_id=course_id) for course_id in sorted(named - present)
    )
    if requisite.kind == RequisiteKind.PREREQUISITE:
        _refuse_cycle(own, named, requisite.course_version)


def _refuse_cycle(own: UUID, named: set[UUID], version: CourseVersion) -> None:
    """Follow the prerequisites that hold while the version does; raise `RequisiteCycleError` on the way back.

    Two writers could each add half of a cycle, so there is one at a time, until its commit.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [PREREQUISITE_LOCK])
    edges = RequisiteCourse.objects.filter(
        requisite__kind=RequisiteKind.PREREQUISITE, requisite__course_version__valid__overlap=version.valid
    )
    seen: set[UUID] = set()
    frontier = named
    while frontier:
        if own in frontier:
            raise RequisiteCycleError
        seen |= frontier
        onward = edges.filter(requisite__course_version__course__in=frontier).values_list("course_id", flat=True)
        frontier = set(onward) - seen


def _checked(expr: Any) -> tuple[dict[str, Any], list[Course]]:
    """Return the expression in its canonical form and the courses it names; raise whatever is wrong with it."""
    check = _Check()
    canonical = check.node(expr, "expr", 1)
    courses = check.known_courses()
    check.known_programs()
    if len(check.errors) == 1:
        raise check.errors[0]
    if check.errors:
        raise ViolationsError(check.errors)
    return canonical, courses


class _Check:
    """One walk over an expression, which collects every fault and every name."""

    def __init__(self) -> None:
        self.errors: list[DomainError] = []
        self.nodes = 0
        self.courses: dict[str, str] = {}
        self.programs: dict[str, str] = {}

    def node(self, node: Any, path: str, depth: int) -> dict[str, Any]:
        self.nodes += 1
        if depth > DEEPEST:
            return self._refuse(f"A requisite is at most {DEEPEST} levels deep.", path)
        if self.nodes > MOST_NODES:
            return self._refuse(f"A requisite has at most {MOST_NODES} parts.", path, once=True)
        if not isinstance(node, dict):
            return self._refuse("A part of a requisite is an object.", path)
        kinds = [name for name in node if name in _LEAVES or name in ("all", "any")]
        if len(kinds) != 1 or set(node) - {*kinds, "min_grade"} or ("min_grade" in node and kinds != ["course"]):
            return self._refuse(f"A part of a requisite has one of {', '.join(['all', 'any', *_LEAVES])}.", path)
        kind = kinds[0]
        if kind in ("all", "any"):
            return {kind: list(self._children(node[kind], f"{path}.{kind}", depth))}
        return self._leaf(kind, node, path)

    def _children(self, children: Any, path: str, depth: int) -> Iterator[dict[str, Any]]:
        if not isinstance(children, list) or not children:
            self._refuse("This is a list of at least one part.", path)
            return
        for index, child in enumerate(children):
            yield self.node(child, f"{path}.{index}", depth + 1)
            if self.nodes > MOST_NODES:
                return

    def _leaf(self, kind: str, node: dict[str, Any], path: str) -> dict[str, Any]:
        value = _LEAVES[kind](node[kind])
        if value is None:
            return self._refuse(f"This is not a {kind} that a requisite can ask for.", f"{path}.{kind}")
        if kind in ("course", "program"):
            (self.courses if kind == "course" else self.programs).setdefault(value, f"{path}.{kind}")
        if "min_grade" not in node:
            return {kind: value}
        grade = _text(node["min_grade"], longest=8)
        if grade is None:
            return self._refuse("A grade has at most 8 characters.", f"{path}.min_grade")
        return {kind: value, "min_grade": grade}

    def _refuse(self, detail: str, path: str, *, once: bool = False) -> dict[str, Any]:
        if not (once and any(error.detail == detail for error in self.errors)):
            self.errors.append(InvalidRequisiteError(detail, field=path))
        return {}

    def known_courses(self) -> list[Course]:
        found = list(Course.objects.filter(code__in=self.courses)) if self.courses else []
        self._report_unknown("course", self.courses, {course.code for course in found})
        return found

    def known_programs(self) -> None:
        if self.programs:
            found = Program.objects.filter(code__in=self.programs).values_list("code", flat=True)
            self._report_unknown("program", self.programs, set(found))

    def _report_unknown(self, noun: str, named: dict[str, str], found: set[str]) -> None:
        unknown = [(code, path) for code, path in named.items() if code not in found]
        self.errors += [UnknownCodeError(f"There is no {noun} {code}.", field=path) for code, path in unknown]


def _text(value: Any, longest: int = 64) -> str | None:
    """Return a short printable text, or None."""
    return value if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable() else None


_CREDITS = re.compile(r"\d{1,4}(\.\d{1,4})?", re.ASCII)


def _credits(value: Any) -> str | None:
    """Return a number of credits as the API writes decimals, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, str) and not _CREDITS.fullmatch(value):
        return None
    # A number of thousands of digits costs too much to even look at.
    if isinstance(value, int) and not 0 <= value <= MOST_CREDITS:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 <= number <= MOST_CREDITS or number != round(number, 2):
        return None
    return format(round(number, 2).normalize(), "f")


def _consent(value: Any) -> str | None:
    return value if value in CONSENTS else None


_LEAVES = {"course": _text, "credits": _credits, "standing": _text, "program": _text, "consent": _consent}
