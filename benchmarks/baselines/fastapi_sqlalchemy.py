"""FastAPI over SQLAlchemy's asynchronous ORM, with a response model of pydantic's."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, and_, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

from benchmarks.baselines.settings import DATABASE_URL, PAGE_SIZE, POOL_SIZE, TOKEN_KEY

engine = create_async_engine(
    DATABASE_URL.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=POOL_SIZE, max_overflow=0
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Table(DeclarativeBase):
    """A table of the demo database, of which only what is shown is mapped."""

    id: Mapped[UUID] = mapped_column(primary_key=True)


class Account(Table):
    __tablename__ = "accounts_user"
    is_active: Mapped[bool]


class Person(Table):
    __tablename__ = "accounts_person"
    first_name: Mapped[str]
    last_name: Mapped[str]
    preferred_name: Mapped[str]
    email: Mapped[str]


class Department(Table):
    __tablename__ = "departments_department"
    code: Mapped[str]
    name: Mapped[str]


class Program(Table):
    __tablename__ = "departments_program"
    code: Mapped[str]
    name: Mapped[str]


class ProgramEnrollment(Table):
    __tablename__ = "students_programenrollment"
    student_id: Mapped[UUID] = mapped_column(ForeignKey("students_student.id"))
    program_id: Mapped[UUID] = mapped_column(ForeignKey("departments_program.id"))
    cohort: Mapped[str]
    is_primary: Mapped[bool]
    program: Mapped[Program] = relationship()


class Student(Table):
    __tablename__ = "students_student"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts_person.id"))
    student_no: Mapped[str]
    status: Mapped[str]
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments_department.id"))
    admitted_on: Mapped[date | None]
    custom_data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    person: Mapped[Person] = relationship()
    department: Mapped[Department] = relationship()
    primary: Mapped[ProgramEnrollment | None] = relationship(
        primaryjoin=lambda: and_(ProgramEnrollment.student_id == Student.id, ProgramEnrollment.is_primary),
        uselist=False,
        viewonly=True,
    )

    @property
    def first_name(self) -> str:
        return self.person.first_name

    @property
    def last_name(self) -> str:
        return self.person.last_name

    @property
    def preferred_name(self) -> str:
        return self.person.preferred_name

    @property
    def email(self) -> str:
        return self.person.email

    @property
    def program(self) -> Program | None:
        return self.primary.program if self.primary else None

    @property
    def cohort(self) -> str:
        return self.primary.cohort if self.primary else ""

    @property
    def custom_fields(self) -> dict[str, Any]:
        return self.custom_data


class Named(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str


class StudentOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

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
    custom_fields: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class Page(BaseModel):
    count: int
    page: int
    results: list[StudentOut]


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


async def account(database: Session, token: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> Account:
    try:
        claims = jwt.decode(token.credentials, TOKEN_KEY, algorithms=["HS256"])
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error
    found = await database.scalar(select(Account).where(Account.id == UUID(claims["sub"]), Account.is_active))
    if found is None:
        raise HTTPException(401)
    return found


app = FastAPI()


@app.get("/students/", response_model=Page)
async def students(
    database: Session, _caller: Annotated[Account, Depends(account)], page: Annotated[int, Query(ge=1)] = 1
) -> dict[str, Any]:
    count = await database.scalar(select(func.count()).select_from(Student))
    rows = await database.scalars(
        select(Student)
        .options(
            joinedload(Student.person),
            joinedload(Student.department),
            joinedload(Student.primary).joinedload(ProgramEnrollment.program),
        )
        .order_by(Student.student_no)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    return {"count": count, "page": page, "results": rows.all()}
