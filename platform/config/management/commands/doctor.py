import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.doctor import FAIL, OK, WARN, examine
from embedded.console import DIM, GREEN, RED, YELLOW, paint

MARKS = {OK: ("✓", GREEN), WARN: ("!", YELLOW), FAIL: ("✗", RED)}


class Command(BaseCommand):
    help = (
        "Check everything Parley needs and name the next thing to do. "
        "Exit status 1 when something is missing; hints alone do not count."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in examine():
            findings.append(finding)
            if not options["json"]:
                mark, colour = MARKS[finding.status]
                self.stdout.write(f"  {paint(mark, colour)} {finding.name:<16} {finding.message}")
                if finding.next_step:
                    self.stdout.write(f"    {paint('→ ' + finding.next_step, DIM)}")
        failed = [finding for finding in findings if finding.status == FAIL]
        if options["json"]:
            report = {"ok": not failed, "findings": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(report, ensure_ascii=False))
        elif failed:
            self.stdout.write(f"\n  Next: {failed[0].next_step}")
        else:
            self.stdout.write("\n  Everything Parley needs is there.")
        if failed:
            raise SystemExit(1)
