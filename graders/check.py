"""`check("order")`: what a notebook asks, and what it shows while the answers come in.

Enters: an assignment's name and the folder of the notebook. Leaves: a `Report` that shows itself. It runs in a process
of its own: nothing that was defined in the notebook can reach it.
"""

import json
import subprocess
import sys
from pathlib import Path

from course.errors import CourseError
from graders.rubric import Report
from graders.show import ReportPicture


def check(name: str, folder: str | Path = ".") -> Report:
    """Judge the files of a folder, by default the notebook's own; each outcome shows as soon as it is known.

    What it made on the engine is gone when it ends, also when the cell is interrupted.
    """
    command = [sys.executable, "-P", "-m", "graders.cli", "check", name, str(Path(folder).resolve()), "--stream"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    report: Report | None = None
    picture = ReportPicture(name)
    try:
        for line in process.stdout:
            event = json.loads(line)
            if "report" in event:
                report = Report.from_json(event["report"])
                picture.finish(report)
            else:
                picture.follow(event)
        _, errors = process.communicate()
    except KeyboardInterrupt:
        process.wait()  # the interrupt reached it as well, and it tidies up
        raise
    if report is None:
        what, _, fix = errors.strip().partition("\nTry: ")
        raise CourseError(what or "the graders ended without a word", fix=fix or f"graders check {name} {folder}")
    return report
