"""Litestar with SQL by hand: asyncpg reads the rows, msgspec writes them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import jwt
import msgspec
from litestar import Litestar, Request, get
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException
from litestar.params import Parameter

from benchmarks.baselines.settings import DATABASE_URL, PAGE_SIZE, POOL_SIZE, TOKEN_KEY

ACCOUNT = "SELECT id FROM accounts_user WHERE id = $1 AND is_active"
COUNT = "SELECT count(*) FROM students_student"
STUDENTS = """
    SELECT student.id, student.student_no, person.first_name, person.last_name, person.preferred_name, person.email,
        student.status, department.id, department.code, department.name, program.id, program.code, program.name,
        coalesce(enrollment.cohort, ''), student.admitted_on, student.custom_data, student.created_at,
        student.updated_at
    FROM students_student AS student
    JOIN accounts_person AS person ON person.id = student.person_id
    JOIN departments_department AS department ON department.id = student.department_id
    LEFT JOIN students_programenrollment AS enrollment
        ON enrollment.student_id = student.id AND enrollment.is_primary
    LEFT JOIN departments_program AS program ON program.id = enrollment.program_id
    ORDER BY student.student_no LIMIT $1 OFFSET $2
"""


class Named(msgspec.Struct):
    id: UUID
    code: str
    name: str


class Student(msgspec.Struct):
    id: UUID
    student_no: str
    first_name: str
    last_name: str
    preferred_name: str
    email: str
    status: str
    department: Named
    program: Named | None
    cohort: str
    admitted_on: date | None
    custom_fields: msgspec.Raw
    created_at: datetime
    updated_at: datetime


class Page(msgspec.Struct):
    count: int
    page: int
    results: list[Student]


def shown(row: asyncpg.Record) -> Student:
    program = None if row[10] is None else Named(row[10], row[11], row[12])
    # PostgreSQL has written the JSON of the custom fields already.
    custom_fields = msgspec.Raw(row[15].encode())
    return Student(*row[:7], Named(row[7], row[8], row[9]), program, row[13], row[14], custom_fields, row[16], row[17])


@asynccontextmanager
async def pool(app: Litestar) -> AsyncIterator[None]:
    async with asyncpg.create_pool(DATABASE_URL, min_size=1, max_size=POOL_SIZE) as opened:
        app.state.pool = opened
        yield


@get("/students")
async def students(request: Request, state: State, number: Annotated[int, Parameter(query="page", ge=1)] = 1) -> Page:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims = jwt.decode(token, TOKEN_KEY, algorithms=["HS256"])
    except jwt.PyJWTError as error:
        raise NotAuthorizedException from error
    async with state.pool.acquire() as connection:
        if scheme != "Bearer" or await connection.fetchval(ACCOUNT, UUID(claims["sub"])) is None:
            raise NotAuthorizedException
        count = await connection.fetchval(COUNT)
        rows = await connection.fetch(STUDENTS, PAGE_SIZE, (number - 1) * PAGE_SIZE)
    return Page(count, number, [shown(row) for row in rows])


app = Litestar([students], lifespan=[pool], openapi_config=None)
