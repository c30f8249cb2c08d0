"""The tables of the demo database, of which only what is shown or written is mapped."""

import uuid

from django.db import models
from django.utils import timezone


class Table(models.Model):
    id = models.UUIDField(primary_key=True)

    class Meta:
        abstract = True
        managed = False


class Account(Table):
    is_active = models.BooleanField()

    is_authenticated = True

    class Meta(Table.Meta):
        db_table = "accounts_user"


class Person(Table):
    first_name = models.CharField(max_length=150)
    last_name = models.CharField(max_length=150)
    preferred_name = models.CharField(max_length=150)
    email = models.EmailField()

    class Meta(Table.Meta):
        db_table = "accounts_person"


class Department(Table):
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)

    class Meta(Table.Meta):
        db_table = "departments_department"


class Program(Table):
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)

    class Meta(Table.Meta):
        db_table = "departments_program"


class Student(Table):
    person = models.ForeignKey(Person, models.DO_NOTHING)
    student_no = models.CharField(max_length=64)
    status = models.CharField(max_length=16)
    department = models.ForeignKey(Department, models.DO_NOTHING)
    admitted_on = models.DateField(null=True)
    custom_data = models.JSONField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(Table.Meta):
        db_table = "students_student"


class ProgramEnrollment(Table):
    student = models.ForeignKey(Student, models.DO_NOTHING, related_name="enrollments")
    program = models.ForeignKey(Program, models.DO_NOTHING)
    cohort = models.CharField(max_length=32)
    is_primary = models.BooleanField()

    class Meta(Table.Meta):
        db_table = "students_programenrollment"


class Enrollment(Table):
    class Meta(Table.Meta):
        db_table = "enrollment_enrollment"


class Code(Table):
    code = models.CharField(max_length=32)

    class Meta(Table.Meta):
        db_table = "attendance_attendancecode"


class Session(Table):
    section_id = models.UUIDField()
    local_date = models.DateField()

    class Meta(Table.Meta):
        db_table = "attendance_classsession"


class Record(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    session = models.ForeignKey(Session, models.DO_NOTHING)
    section_id = models.UUIDField()
    enrollment = models.ForeignKey(Enrollment, models.DO_NOTHING)
    code = models.ForeignKey(Code, models.DO_NOTHING)
    local_date = models.DateField()
    source = models.CharField(max_length=8, default="manual")
    marked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        managed = False
        db_table = "attendance_attendancerecord"
