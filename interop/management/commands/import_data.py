"""Import a file or folder from the command line: the same pipeline as over HTTP, without a worker."""

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from core.errors import DomainError
from core.recording import recorder
from interop import services
from interop.models import ImportAction, ImportJob, ImportKind, ImportRow
from interop.models import ImportState as State
from interop.selectors import ROWS, people_behind

INTERRUPTED = 130
# Of refused rows and of a refused file's faults, the terminal shows so many; the report has them all.
SHOWN = 10
OPTIONS = ("overwrite_edited", "beyond_capacity", "starts_on", "ends_on")
COLUMNS = ("created", "updated", "unchanged", "rejected")

Step = Callable[..., ImportJob]


def mapped(text: str) -> tuple[str, str]:
    """Return what `name=column` says."""
    name, separator, column = text.partition("=")
    if not separator or not name.strip():
        raise ArgumentTypeError(f"{text!r} is not of the form name=column")
    return name.strip(), column.strip()


class Command(BaseCommand):
    """`manage.py import_data KIND PATH` validates a file and applies its sound rows.

    Rows that are refused, or in conflict with what was edited by hand, are left out and reported;
    the command still succeeds. It fails, and has written nothing, when the file as a whole or every
    single row is refused.
    """

    help = "Import a file: students, courses, … as CSV or XLSX, an OULAD folder, a OneRoster package."

    job: ImportJob | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", nargs="?", choices=ImportKind.values, metavar="KIND", help=", ".join(ImportKind))
        parser.add_argument("path", nargs="?", type=Path, metavar="PATH", help="A file, or a folder of files.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done; --resume JOB does it.")
        parser.add_argument(
            "--mapping",
            action="append",
            default=[],
            type=mapped,
            metavar="NAME=COLUMN",
            help="Which column of the file holds a field (may be repeated; empty for none).",
        )
        parser.add_argument(
            "--overwrite-edited", action="store_true", help="Overwrite fields that were edited by hand."
        )
        parser.add_argument(
            "--beyond-capacity",
            action="store_true",
            help="Record enrolments of terms that are not over, too, whatever the rules of registration say.",
        )
        parser.add_argument("--starts-on", metavar="DATE", help="First day of a catalogue's term.")
        parser.add_argument("--ends-on", metavar="DATE", help="Last day of a catalogue's term.")
        parser.add_argument(
            "--force", action="store_true", help="Import what is in force already; revert what was changed since."
        )
        parser.add_argument("--chunk-size", type=int, default=1000, metavar="N", help="Rows written at a time.")
        parser.add_argument("--resume", type=UUID, metavar="JOB", help="Go on with what stopped half-way.")
        parser.add_argument("--revert", type=UUID, metavar="JOB", help="Bring every row back to what it was before.")
        parser.add_argument("--report", type=Path, metavar="FILE", help="Write what happened to every row as CSV.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.options = options
        try:
            job = self._work()
        except KeyboardInterrupt:
            again = f" Go on with: manage.py import_data --resume {self.job.pk}" if self.job else ""
            self.stderr.write(f"Interrupted.{again}")
            sys.exit(INTERRUPTED)
        if options["report"]:
            self._report(job, options["report"])
        if job.state == State.FAILED:
            self._refuse(job.errors, job)
        self._print(job)

    def _report(self, job: ImportJob, file: Path) -> None:
        people = people_behind(job.rows.all())
        recorder().disclosed(what=ROWS.what, subjects=people, to=None, permission="operator", route="import_data")
        with file.open("w", encoding="utf-8", newline="") as report:
            report.writelines(services.report(job))

    def _work(self) -> ImportJob:
        try:
            self.job = self._begin()
            is_going_back = self.options["revert"] or self.job.state == State.REVERTING
            return self._reverted(self.job) if is_going_back else self._imported(self.job)
        except DomainError as refused:
            self._refuse([single.as_dict() for single in refused.violations])

    def _begin(self) -> ImportJob:
        options = self.options
        known = options["resume"] or options["revert"]
        if bool(known) == bool(options["kind"] and options["path"]) or (options["resume"] and options["revert"]):
            raise CommandError("Give either KIND and PATH, or --resume JOB, or --revert JOB.")
        if options["chunk_size"] < 1:
            raise CommandError("--chunk-size is at least 1.")
        if known:
            job = ImportJob.objects.filter(pk=known).first()
            if job is None:
                raise CommandError(f"There is no import {known}.")
            return job
        return services.from_path(
            by=None,
            kind=options["kind"],
            path=options["path"],
            mapping=dict(options["mapping"]),
            options={name: options[name] for name in OPTIONS if options[name]},
            force=options["force"],
        )

    def _imported(self, job: ImportJob) -> ImportJob:
        """Take the steps that are left: none, when a resumed import has come to its end."""
        if job.state in (State.UPLOADED, State.VALIDATING) or (job.state == State.FAILED and job.validated_at is None):
            job = self._run(services.validate, "Reading", job, by=None)
        if services.is_past_validation(job) and not self.options["dry_run"]:
            job = self._run(services.apply, "Writing", job, by=None)
        return job

    def _reverted(self, job: ImportJob) -> ImportJob:
        return self._run(services.revert, "Taking back", job, by=None, force=self.options["force"])

    def _run(self, step: Step, title: str, job: ImportJob, **arguments: Any) -> ImportJob:
        with _bar(title, is_shown=sys.stderr.isatty()) as progress:
            return step(job.pk, chunk_size=self.options["chunk_size"], progress=progress, **arguments)

    # --- What is said about it ---

    def _refuse(self, errors: Iterable[dict[str, Any]], job: ImportJob | None = None) -> NoReturn:
        faults = list(errors)
        if self.options["json"]:
            counted = services.summary(job) if job is not None and job.counts else {}
            self.stdout.write(json.dumps({**counted, "error": {"code": faults[0]["code"], "errors": faults}}))
        elif job is not None:
            self._print_reasons(job)
        lines = [_sentence(fault) for fault in faults[:SHOWN]]
        if len(faults) > SHOWN:
            lines.append(f"… and {len(faults) - SHOWN} more.")
        raise CommandError("Refused; nothing was written.\n" + "\n".join(lines))

    def _print(self, job: ImportJob) -> None:
        is_back = job.state == State.REVERTED
        summary = services.reversal_summary(job) if is_back else services.summary(job)
        columns = (*COLUMNS, "deleted") if is_back else COLUMNS
        if self.options["json"]:
            over = {} if is_back else {"over_capacity": services.over_capacity(job)}
            self.stdout.write(json.dumps(summary | {name: number for name, number in over.items() if number}))
            return
        self.stdout.write(f"{job.get_kind_display()}, {job.file_name}: {job.get_state_display().lower()}.\n\n")
        widest = max([len("total"), *map(len, summary["by_type"])])
        self.stdout.write(" " * widest + "".join(f"{name:>12}" for name in columns))
        for name, counts in [*summary["by_type"].items(), ("total", summary)]:
            self.stdout.write(f"{name:<{widest}}" + "".join(f"{counts[column]:>12,}" for column in columns))
        rate = summary["rows"] / summary["seconds"] if summary["seconds"] else 0
        self.stdout.write(
            f"\n{summary['rows']:,} rows in {summary['seconds']:.1f} s ({rate:,.0f} rows/s), "
            f"at most {summary['peak_mb']:.0f} MB."
        )
        if not is_back:
            if beyond := services.over_capacity(job):
                self.stdout.write(f"{beyond:,} enrolments are over the capacity of their section.")
            self._print_reasons(job)
            for remark in job.remarks:
                self.stdout.write(f"{remark['file']}: {remark['detail']}")
        self._print_ways_on(job)

    def _print_reasons(self, job: ImportJob) -> None:
        refused = ImportRow.objects.filter(job=job, action__in=(ImportAction.REJECTED, ImportAction.CONFLICT))
        first = list(refused.order_by("position").only("file", "row_no", "reasons")[:SHOWN])
        if first:
            self.stdout.write("\nThe first rows that were left out:")
        for row in first:
            for reason in row.reasons:
                self.stdout.write(f"  {_sentence({**reason, 'meta': {'file': row.file, 'line': row.row_no}})}")

    def _print_ways_on(self, job: ImportJob) -> None:
        where = self.options["report"] or f"/api/v1/imports/{job.pk}/report/ (or --resume {job.pk} --report FILE)"
        self.stdout.write(f"\nEvery row is in the report: {where}")
        if job.state == State.VALIDATED:
            self.stdout.write(f"Nothing was written. Apply it: manage.py import_data --resume {job.pk}")
        elif job.state in (State.APPLIED, State.PARTIALLY_APPLIED):
            self.stdout.write(f"Take it back: manage.py import_data --revert {job.pk}")


def _sentence(fault: dict[str, Any]) -> str:
    """Return a fault in one line: where it is, what it is called, what is wrong."""
    meta = fault.get("meta") or {}
    line = meta.get("row") or meta.get("line")
    place = [str(meta.get("file") or ""), f"row {line}" if line else "", str(fault.get("field") or "")]
    where = ", ".join(part for part in place if part)
    return f"{where}: [{fault['code']}] {fault['detail']}" if where else f"[{fault['code']}] {fault['detail']}"


@contextmanager
def _bar(title: str, *, is_shown: bool) -> Generator[Callable[[ImportJob], None]]:
    """Show progress while somebody is looking."""
    with tqdm(desc=title, unit=" rows", disable=not is_shown, file=sys.stderr, leave=False) as bar:

        def advance(job: ImportJob) -> None:
            bar.total = job.rows_total
            bar.update(job.rows_done - bar.n)

        yield advance
