"""`manage.py score_pairs` scores whatever a table may hold, and says what is wrong with one that is none."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.texts import hostile

HEAD = "id,text,source\n"
TEXT = "the granary was emptied before the river rose above the third mark of the old bridge"
Scored = Callable[[str | bytes], list[list[str]]]


@pytest.fixture
def scored(tmp_path: Path) -> Scored:
    def run(content: str | bytes) -> list[list[str]]:
        path, out = tmp_path / "pairs.csv", io.StringIO()
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        call_command("score_pairs", path, stdout=out)
        return list(csv.reader(io.StringIO(out.getvalue())))

    return run


def table(*rows: tuple[str, str, str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([("id", "text", "source"), *rows])
    return out.getvalue()


def test_each_row_is_answered_by_its_id_and_its_score(scored: Scored) -> None:
    rows = [("1", TEXT, TEXT.upper()), ('=a,"b"\nc', TEXT, "quite another"), ("", "", "")]

    assert scored(table(*rows)) == [["1", "1.000000"], ['=a,"b"\nc', "0.000000"], ["", "0.000000"]]


def test_columns_may_stand_in_any_order_among_others(scored: Scored) -> None:
    assert scored(f"\ufeffsource,label,id,text\r\n{TEXT},copy,7,{TEXT}\r\n".encode()) == [["7", "1.000000"]]


def test_a_table_without_rows_has_no_scores(scored: Scored) -> None:
    assert scored(HEAD) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "the columns id, text, source"),
        ("id,text\n1,a\n", "does not name source"),
        ("id,text,source,text\n1,a,b,c\n", "does not name text"),
        (HEAD + "1,a\n", "line 2 has not as many fields"),
        (HEAD + "1,a,b,c\n", "line 2 has not as many fields"),
        (HEAD + '1,"a,b\n', "it is no CSV"),
        (HEAD + '1,"a"b,c\n', "after line 1 it is no CSV"),
        (HEAD.encode() + b"1,\xff\xfe,b\n", "not UTF-8"),
    ],
)
def test_what_is_no_such_table_is_refused_with_the_reason(scored: Scored, content: str | bytes, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        scored(content)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("score_pairs", tmp_path / "absent.csv")
    with pytest.raises(CommandError, match="cannot be read: Is a directory"):
        call_command("score_pairs", tmp_path)


def test_rows_before_a_bad_one_are_answered(tmp_path: Path) -> None:
    out, path = io.StringIO(), tmp_path / "pairs.csv"
    path.write_text(HEAD + "1,a,a\n2,b\n")

    with pytest.raises(CommandError, match="line 3"):
        call_command("score_pairs", path, stdout=out)

    assert out.getvalue() == "1,1.000000\n"


@hostile.needed
def test_hostile_strings_are_scored_and_their_ids_come_back(scored: Scored) -> None:
    strings = hostile.strings()
    found = scored(table(*[(text, text, f"{TEXT} {text}") for text in strings]))

    assert [name for name, _ in found] == strings
    assert all(0 <= float(score) <= 1 for _, score in found)


@hostile.needed
def test_tables_of_other_columns_are_refused(scored: Scored) -> None:
    tables = hostile.tables()

    assert len(tables) == 12
    for content in tables:
        with pytest.raises(CommandError, match="the first line has to name"):
            scored(content)
