"""The rows of a made-up university, one kind after another, in the order their tables need.

Everything is drawn from one seeded generator, so the same seed, scale and day give the same rows.
Rooms and teachers are never in two places at once, no student takes two sections that meet at the
same time, and no section holds more students than seats.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from campushub360.demo import names
from campushub360.demo.rows import Keys, Row
from campushub360.demo.timetable import Timetable, patterns

YEARS = 3
MOST_MONTHS = YEARS * 12
TERMS_A_YEAR = 2
MAIL = "demo.campushub360.example"
ACADEMIC_YEAR_BEGINS = 8  # month
GRADING_DAYS = 31  # after the end of a term
LECTURE_HALL = 60  # seats
# The fates of registrations, as shares.
DISTINCTIONS, FAILURES, DEPARTURES = 0.1, 0.08, 0.03
FROM_HOME_DEPARTMENT = 0.7
# What a year of a rank begins with.
SALARIES = {"professor": 84_000, "associate_professor": 71_000, "assistant_professor": 60_000, "lecturer": 48_000}
BLOOD_GROUPS = ["O+", "A+", "B+", "AB+", "O-", "A-", "B-", "AB-"]
# More seats than registrations, so that a newcomer finds sections with room.
SLACK = 1.2


@dataclass(frozen=True)
class Scale:
    """How large the university is; `enrollments` is met exactly."""

    students: int
    faculty: int
    departments: int
    courses_per_department: int
    rooms: int
    enrollments: int


SCALES = {
    "small": Scale(1_000, 60, 12, 12, 16, 10_000),
    "medium": Scale(50_000, 2_000, 20, 60, 260, 500_000),
    "large": Scale(200_000, 6_000, 20, 150, 1_000, 2_000_000),
}


@dataclass
class OfferedSection:
    """What registering needs to know of a section."""

    id: UUID
    course_id: UUID
    term_id: UUID
    department_id: UUID
    pattern: int
    credits: Decimal
    seats: int


@dataclass
class University:
    """The rows made so far; each method adds and returns the rows of one table."""

    scale: Scale
    seed: int
    today: date
    departments: list[Row] = field(default_factory=list)
    programs: list[Row] = field(default_factory=list)
    rooms: list[Row] = field(default_factory=list)
    terms: list[Row] = field(default_factory=list)
    courses: list[Row] = field(default_factory=list)
    versions: list[Row] = field(default_factory=list)
    faculty: list[Row] = field(default_factory=list)
    students: list[Row] = field(default_factory=list)
    sections: list[Row] = field(default_factory=list)
    instructors: list[Row] = field(default_factory=list)
    meetings: list[Row] = field(default_factory=list)
    meeting_sections: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chooser = random.Random(f"university:{self.seed}")  # noqa: S311 - repetition, not secrecy
        self.now = datetime.combine(self.today, time(0), UTC)
        self.keys = Keys(self.seed, self.now)
        self.first_year = (
            (self.today.year if self.today.month >= ACADEMIC_YEAR_BEGINS else self.today.year - 1) - YEARS + 1
        )
        self.campus_id = self.keys.next()
        self.year_ids = [self.keys.next() for _ in range(YEARS)]
        self._offered: defaultdict[UUID, list[OfferedSection]] = defaultdict(list)

    def _row(self, **values: Any) -> Row:
        return {"id": self.keys.next(), "created_at": self.now, "updated_at": self.now, **values}

    # --- Structure ---------------------------------------------------------------------------------------------------

    def department_rows(self) -> Iterator[Row]:
        institution = self._department("UNI", "University", "institution", None)
        yield institution
        colleges = {}
        for code, name in names.COLLEGES.items():
            colleges[code] = self._department(code, name, "college", institution["id"])
            yield colleges[code]
        for code, name, college, subjects in names.DEPARTMENTS[: self.scale.departments]:
            row = self._department(code, name, "department", colleges[college]["id"])
            self.departments.append({**row, "subjects": subjects.split("|")})
            yield row

    def _department(self, code: str, name: str, kind: str, parent_id: UUID | None) -> Row:
        return self._row(code=code, name=name, kind=kind, parent_id=parent_id, custom_data={})

    def program_rows(self) -> Iterator[Row]:
        for department in self.departments:
            for level, total, prefix in (("bachelor", 180, "B"), ("master", 120, "M")):
                row = self._row(
                    code=f"{prefix}-{department['code']}",
                    name=f"{level.capitalize()} of {department['name']}",
                    level=level,
                    department_id=department["id"],
                    total_credits=Decimal(total),
                )
                self.programs.append(row)
                yield row

    def campus_rows(self) -> Iterator[Row]:
        yield {**self._row(code="MAIN", name="Main campus", time_zone="Europe/Vienna"), "id": self.campus_id}

    def building_rows(self) -> Iterator[Row]:
        self.buildings = [
            self._row(campus_id=self.campus_id, code=chr(65 + n), name=f"Building {chr(65 + n)}")
            for n in range(max(2, min(26, self.scale.rooms // 12)))
        ]
        yield from self.buildings

    def room_rows(self) -> Iterator[Row]:
        for number in range(self.scale.rooms):
            building = self.buildings[number % len(self.buildings)]
            capacity = (24, 30, 36, 48, 60, 120)[number % 6]
            row = self._row(
                building_id=building["id"],
                code=f"{building['code']}{1 + number // len(self.buildings) // 20}{number // len(self.buildings):02d}",
                capacity=capacity,
                exam_capacity=capacity // 2,
                kind="lecture" if capacity >= LECTURE_HALL else "seminar",
                features=["projector"] if number % 2 else ["projector", "whiteboard"],
            )
            self.rooms.append(row)
            yield row

    def year_rows(self) -> Iterator[Row]:
        for number, year_id in enumerate(self.year_ids):
            year = self.first_year + number
            yield {
                **self._row(
                    code=f"{year}/{(year + 1) % 100:02d}",
                    name=f"Academic year {year}/{(year + 1) % 100:02d}",
                    starts_on=date(year, 9, 1),
                    ends_on=date(year + 1, 8, 31),
                ),
                "id": year_id,
            }

    def term_rows(self) -> Iterator[Row]:
        for number, year_id in enumerate(self.year_ids):
            year = self.first_year + number
            spans = (
                (f"{year}-FA", f"Fall {year}", date(year, 9, 1), date(year + 1, 1, 31)),
                (f"{year + 1}-SP", f"Spring {year + 1}", date(year + 1, 2, 1), date(year + 1, 6, 30)),
            )
            for code, name, starts_on, ends_on in spans:
                state = self._state(starts_on, ends_on)
                row = self._row(
                    academic_year_id=year_id, code=code, name=name, starts_on=starts_on, ends_on=ends_on, state=state
                )
                self.terms.append(row)
                yield row

    def calendar_event_rows(self) -> Iterator[Row]:
        for number in range(len(self.year_ids)):
            year = self.first_year + number
            december = date(year, 12, 1)
            saturday = december + timedelta(days=6 - december.isoweekday() % 7)
            for name, kind, starts_on, ends_on, taught_as in (
                ("National holiday", "holiday", date(year, 10, 26), date(year, 10, 26), None),
                ("Winter break", "holiday", date(year, 12, 24), date(year + 1, 1, 6), None),
                ("Make-up day", "make_up", saturday, saturday, 4),
                ("Open house", "notice", date(year + 1, 3, 3), date(year + 1, 3, 4), None),
            ):
                campus_id = self.campus_id if kind == "notice" else None
                span = {"starts_on": starts_on, "ends_on": ends_on, "taught_as": taught_as}
                yield self._row(name=name, kind=kind, campus_id=campus_id, **span)

    def _state(self, starts_on: date, ends_on: date) -> str:
        if ends_on + timedelta(days=GRADING_DAYS) < self.today:
            return "closed"
        if ends_on < self.today:
            return "grading"
        return "in_progress" if starts_on <= self.today else "registration"

    # --- People ------------------------------------------------------------------------------------------------------

    def person_rows(self) -> Iterator[Row]:
        """Make the people who teach, then those who study, and remember the parts they play."""
        for number in range(self.scale.faculty):
            person = self._person(number, "staff", 1955, 1992)
            department = self.departments[number % len(self.departments)]
            rank = self.chooser.choice([*SALARIES])
            self.faculty.append(
                self._row(
                    person_id=person["id"],
                    employee_no=f"E{number + 1:06d}",
                    rank=rank,
                    salary=SALARIES[rank] + 250 * (number % 20),
                    department_id=department["id"],
                    custom_data={"orcid": f"0000-000{number % 9}-{number // 1000:04d}-{number % 10_000:04d}"},
                )
            )
            yield person
        advisors: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for member in self.faculty:
            advisors[member["department_id"]].append(member["person_id"])
        for number in range(self.scale.students):
            person = self._person(number, "student", 1998, 2006)
            year = number % YEARS
            program = self.chooser.choice(self.programs)
            custom = {"blood_group": self.chooser.choice(BLOOD_GROUPS), "hostel_resident": number % 4 == 0}
            self.students.append(
                self._row(
                    person_id=person["id"],
                    student_no=f"S{self.first_year + year}{number + 1:06d}",
                    department_id=program["department_id"],
                    advisor_id=self.chooser.choice(advisors[program["department_id"]]),
                    admitted_on=date(self.first_year + year, 8, 1 + number % 28),
                    custom_data=custom,
                )
                | {"program": program, "year": year}
            )
            yield person

    def _person(self, number: int, part: str, first_birth: int, last_birth: int) -> Row:
        first, last = self.chooser.choice(names.FIRST_NAMES), self.chooser.choice(names.LAST_NAMES)
        birth = date(self.chooser.randint(first_birth, last_birth), 1, 1) + timedelta(days=self.chooser.randrange(365))
        return self._row(
            first_name=first,
            last_name=last,
            email=f"{first}.{last}.{number + 1}@{part}.{MAIL}".lower(),
            birth_date=birth,
            gender=self.chooser.choice(["female", "male", "other", "undisclosed"][: 2 if number % 20 else 4]),
        )

    def student_rows(self) -> Iterator[Row]:
        for student in self.students:
            yield {name: value for name, value in student.items() if name not in ("program", "year")}

    def program_enrollment_rows(self) -> Iterator[Row]:
        for student in self.students:
            yield self._row(
                student_id=student["id"],
                program_id=student["program"]["id"],
                cohort=str(self.first_year + student["year"]),
                start_term_id=self.terms[student["year"] * TERMS_A_YEAR]["id"],
                is_primary=True,
            )

    def faculty_appointment_rows(self) -> Iterator[Row]:
        for member in self.faculty:
            valid = (date(self.first_year - self.chooser.randrange(20), 9, 1), None)
            yield self._row(
                faculty_id=member["id"], department_id=member["department_id"], rank=member["rank"], valid=valid
            )

    def appointment_rows(self) -> Iterator[Row]:
        for department, member in zip(self.departments, self.faculty, strict=False):
            valid = (date(self.first_year, 9, 1), None)
            yield self._row(department_id=department["id"], person_id=member["person_id"], role="head", valid=valid)

    # --- Catalogue ---------------------------------------------------------------------------------------------------

    def course_rows(self) -> Iterator[Row]:
        for department in self.departments:
            for number in range(self.scale.courses_per_department):
                subject = department["subjects"][number % len(department["subjects"])]
                treatment = names.TREATMENTS[number // len(department["subjects"]) % len(names.TREATMENTS)]
                title = treatment.format(subject)
                if part := number // (len(department["subjects"]) * len(names.TREATMENTS)):
                    title += f" {part + 1}"
                course = self._row(
                    code=f"{department['code']}{100 + number}",
                    department_id=department["id"],
                    level="lower_undergraduate" if number < self.scale.courses_per_department // 2 else "graduate",
                    custom_data={},
                )
                version = self._row(
                    course_id=course["id"],
                    version_no=1,
                    title=title,
                    description=f"{title}, as taught by the department of {department['name']}.",
                    credits=Decimal(self.chooser.choice([3, 4, 5, 6])),
                    valid=(date(self.first_year - 1, 9, 1), None),
                )
                course["current_version_id"] = version["id"]
                self.courses.append(course)
                self.versions.append(version)
                yield course

    def requisite_rows(self) -> Iterator[tuple[Row, Row]]:
        """Let every advanced course ask for one that comes before it in the same department."""
        size = self.scale.courses_per_department
        for index, version in enumerate(self.versions):
            place = index % size
            if place < size // 2:
                continue
            before = self.courses[index - size // 2]
            requisite = self._row(course_version_id=version["id"], kind="pre", expr={"course": before["code"]})
            yield requisite, self._row(requisite_id=requisite["id"], course_id=before["id"])

    # --- Teaching ----------------------------------------------------------------------------------------------------

    def plan_teaching(self) -> None:
        """Place the sections of every term in rooms and with teachers."""
        teachers: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for member in self.faculty:
            teachers[member["department_id"]].append(member["id"])
        wanted = self._registrations_by_term()
        for term, load in zip(self.terms, wanted, strict=True):
            timetable = Timetable([(room["id"], room["capacity"]) for room in self.rooms], self.chooser)
            offers: defaultdict[UUID, int] = defaultdict(int)
            order = list(range(len(self.courses)))
            self.chooser.shuffle(order)
            seats, turn = 0, 0
            while seats < load * SLACK:
                index = order[turn % len(order)]
                turn += 1
                course = self.courses[index]
                staff = teachers[course["department_id"]]
                place = timetable.place(self.chooser.sample(staff, len(staff)))
                if place is None:
                    break
                offers[course["id"]] += 1
                seats += self._add_section(term, course, self.versions[index], offers[course["id"]], place)

    def _registrations_by_term(self) -> list[int]:
        """Share the registrations among the terms by the number of students who are there."""
        present = [
            sum(student["year"] * TERMS_A_YEAR <= index for student in self.students)
            for index in range(len(self.terms))
        ]
        total = sum(present)
        return [self.scale.enrollments * count // total + 1 for count in present]

    def _add_section(self, term: Row, course: Row, version: Row, number: int, place: Any) -> int:
        status = {"closed": "completed", "grading": "grading", "in_progress": "in_progress"}.get(term["state"], "open")
        section = self._row(
            course_id=course["id"],
            course_version_id=version["id"],
            term_id=term["id"],
            code=f"{number:02d}",
            campus_id=self.campus_id,
            status=status,
            capacity=place.room_capacity,
            waitlist_capacity=5,
            custom_data={},
        )
        self.sections.append(section)
        self.instructors.append(
            self._row(section_id=section["id"], faculty_id=place.faculty_id, role="primary", share=Decimal(100))
        )
        rhythm = patterns()[place.pattern]
        for weekday in rhythm.weekdays:
            meeting = self._row(
                weekday=weekday,
                starts_at=rhythm.starts_at,
                ends_at=rhythm.ends_at,
                dates=(term["starts_on"], term["ends_on"] + timedelta(days=1)),
                room_id=place.room_id,
            )
            self.meetings.append(meeting)
            self.meeting_sections.append(self._row(meeting_id=meeting["id"], section_id=section["id"]))
        self._offered[term["id"]].append(
            OfferedSection(
                id=section["id"],
                course_id=course["id"],
                term_id=term["id"],
                department_id=course["department_id"],
                pattern=place.pattern,
                credits=version["credits"],
                seats=place.room_capacity,
            )
        )
        return int(place.room_capacity)

    # --- Registration ------------------------------------------------------------------------------------------------

    def enrollment_rows(self) -> Iterator[Row]:
        """Register students in sections with seats that do not meet at the same time, until the number is met."""
        left = self.scale.enrollments
        taken: defaultdict[UUID, set[UUID]] = defaultdict(set)
        remaining_terms = list(enumerate(self.terms))
        quota = self._registrations_by_term()
        for index, term in remaining_terms:
            present = [student for student in self.students if student["year"] * TERMS_A_YEAR <= index]
            goal = min(left, quota[index])
            for row in self._register(term, present, goal, taken):
                left -= 1
                yield row

    def _register(self, term: Row, present: list[Row], goal: int, taken: defaultdict[UUID, set[UUID]]) -> Iterator[Row]:
        offered = self._offered[term["id"]]
        at_home: defaultdict[UUID, list[OfferedSection]] = defaultdict(list)
        for section in offered:
            at_home[section.department_id].append(section)
        busy: defaultdict[UUID, set[int]] = defaultdict(set)
        made, tries = 0, 0
        while made < goal and tries < goal * 20:
            student = present[tries % len(present)]
            tries += 1
            choices = at_home[student["department_id"]] if self.chooser.random() < FROM_HOME_DEPARTMENT else offered
            section = self.chooser.choice(choices or offered)
            known = taken[student["id"]]
            if section.seats <= 0 or section.pattern in busy[student["id"]] or section.course_id in known:
                continue
            section.seats -= 1
            busy[student["id"]].add(section.pattern)
            known.add(section.course_id)
            made += 1
            yield self._enrollment(term, student, section)

    def _enrollment(self, term: Row, student: Row, section: OfferedSection) -> Row:
        entered = datetime.combine(term["starts_on"] - timedelta(days=self.chooser.randrange(3, 40)), time(9), UTC)
        fate = self.chooser.random()
        status, result, left_at = "enrolled", "", None
        if term["state"] == "closed":
            status, result = "completed", _outcome(fate)
        if fate > 1 - DEPARTURES:
            left_at = datetime.combine(term["starts_on"] + timedelta(days=20), time(9), UTC)
            if left_at > self.now:
                left_at = None
            else:
                status, result = ("withdrawn", "withdrawn") if term["state"] == "closed" else ("dropped", "")
        return self._row(
            student_id=student["id"],
            section_id=section.id,
            course_id=section.course_id,
            term_id=section.term_id,
            status=status,
            result=result,
            credits=section.credits,
            enrolled_at=min(entered, self.now),
            dropped_at=left_at,
        )


def _outcome(fate: float) -> str:
    """Return how a completed registration ended, given a number between 0 and 1."""
    if fate < DISTINCTIONS:
        return "distinction"
    return "fail" if fate > 1 - FAILURES else "pass"
