"""Parts of a text that others wrote and that say so: quotations, and the list of references at its end.

Whoever compares may leave them out. Neither can be made to hide the rest: a quotation ends with its paragraph, and a
list of references is one only as far as most of its lines look like references.
"""

import re
from collections.abc import Iterable, Iterator

from texts.analysis.normal import Span

# Longer than this it is no quotation any more, whatever marks are around it.
LONGEST_QUOTATION = 1500
_PAIRS = (
    ("“", "”"), ("„", "“"), ("„", "”"), ("«", "»"), ("»", "«"), ("‹", "›"), ("「", "」"), ("『", "』"), ('"', '"'),
    ("＂", "＂"),
)  # fmt: skip
_OPENING = {opening: {close for first, close in _PAIRS if first == opening} for opening, _ in _PAIRS}
_QUOTED_LINES = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)
_PARAGRAPH = re.compile(r"\n\s*\n")

# As theses are headed in the languages that are written here, and in those that many sources are in.
HEADINGS = frozenset({
    "references", "reference list", "list of references", "bibliography", "works cited", "literature",
    "literature cited", "literatur", "literaturverzeichnis", "quellen", "quellenverzeichnis", "références",
    "références bibliographiques", "bibliographie", "referencias", "referencias bibliográficas", "bibliografía",
    "referências", "bibliografia", "riferimenti bibliografici", "literatuur", "kaynakça", "список литературы",
    "литература", "tài liệu tham khảo", "daftar pustaka", "เอกสารอ้างอิง", "บรรณานุกรม", "ເອກະສານອ້າງອີງ",
    "ບັນນານຸກົມ", "参考文献", "參考文獻", "引用文献", "참고문헌", "참고 문헌", "المراجع", "संदर्भ",
})  # fmt: skip
_NUMBERING = re.compile(r"^[\s#*_]*(?:(?:\d+|[IVXLC]+|[A-Z])[.)]\s*|\d+(?:\.\d+)*\s+)?")
_ENTRY = re.compile(r"\b(?:1[5-9]|20|25)\d\d\b|https?://|\bdoi\b|\bISBN\b|^\s*\[\d+\]|\bet al\b", re.IGNORECASE)
_MOST = 0.5


def quotations(text: str) -> list[Span]:
    """Return the ranges of characters between quotation marks, the marks included, and of lines that begin with `>`."""
    found: list[Span] = [match.span() for match in _QUOTED_LINES.finditer(text)]
    for start, end in _paragraphs(text):
        found += _quoted(text, start, end)
    return sorted(found)


def references(text: str) -> list[Span]:
    """Return the range of characters of the list of references, its heading included; none where there is no such."""
    lines = list(_lines(text))
    headings = [number for number, (start, end) in enumerate(lines) if _is_heading(text[start:end])]
    if not headings:
        return []
    last = headings[-1]
    following = lines[last + 1 :]
    entries = sum(1 for start, end in following if _ENTRY.search(text[start:end]))
    if not following or entries < _MOST * len(following):
        following = _leading_entries(text, following)
    return [(lines[last][0], following[-1][1])] if following else []


def _leading_entries(text: str, lines: list[Span]) -> list[Span]:
    """Return the first lines as far as each of two that follow each other looks like a part of a reference."""
    kept = misses = 0
    for number, (start, end) in enumerate(lines, start=1):
        if _ENTRY.search(text[start:end]):
            kept, misses = number, 0
        else:
            misses += 1
            if misses > 1:
                break
    return lines[:kept]


def _is_heading(line: str) -> bool:
    return _NUMBERING.sub("", line, count=1).strip(" \t\r:.*_#").casefold() in HEADINGS


def _lines(text: str) -> Iterator[Span]:
    """Yield the lines of a text that say something, as ranges of characters."""
    for match in re.finditer(r"[^\n]+", text):
        if match[0].strip():
            yield match.span()


def _paragraphs(text: str) -> Iterator[Span]:
    start = 0
    for match in _PARAGRAPH.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)


def _quoted(text: str, start: int, end: int) -> Iterable[Span]:
    at = start
    while at < end:
        closing = _OPENING.get(text[at])
        if closing is None:
            at += 1
            continue
        ends = [text.find(mark, at + 1, min(end, at + LONGEST_QUOTATION)) for mark in closing]
        last = min((each for each in ends if each >= 0), default=-1)
        if last >= 0:
            yield at, last + 1
        at = max(at, last) + 1
