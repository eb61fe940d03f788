"""One submission from its folder to its report.

Enters: an assignment's name and a folder. Leaves: a `Report`, whatever the folder holds. May import `course` and all of
this room but its command line.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from docker import DockerClient
from docker.errors import DockerException

from course.assignments import find_assignment
from course.clean import clean, clean_session
from course.engine import connect
from course.errors import CourseError
from course.images import OnProgress
from graders.findings import StaticFinding
from graders.lint import lint
from graders.rubric import Gathered, Outcome, Report, could_not_check, outcome
from graders.rubrics import Grading, find_grading
from graders.sandbox import ReplayEngine, isolated_engine, replay_engine
from graders.submission import collect

OnOutcome = Callable[[Outcome], None]
OnFindings = Callable[[tuple[StaticFinding, ...]], None]


def judge(
    name: str,
    folder: Path,
    *,
    kind: str = "auto",
    on_outcome: OnOutcome | None = None,
    on_findings: OnFindings | None = None,
    on_progress: OnProgress | None = None,
) -> Report:
    """Replay and judge a submission; trouble that is not the student's makes a report that is not gradable.

    `kind` is that of the engine to work on (`course.engine.KINDS`). Raises `CourseError` when there is no such
    assignment or folder.
    """
    assignment = find_assignment(name)
    findings = lint(assignment, collect(assignment, folder))
    if on_findings:
        on_findings(findings)
    report = _replay(name, folder, kind, on_outcome, on_progress)
    return replace(report, findings=findings)


def _replay(name: str, folder: Path, kind: str, on_outcome: OnOutcome | None, on_progress: OnProgress | None) -> Report:
    grading = find_grading(name)
    if kind == "vm":
        return _isolated(name, folder, grading, on_outcome)
    try:
        client = connect(kind=kind)
    except CourseError as error:
        return could_not_check(grading.rubric, error.message)
    try:
        return _on(client, name, folder, grading, on_outcome, on_progress)
    except (CourseError, DockerException, OSError) as error:
        reason = error.message if isinstance(error, CourseError) else str(error)
        return could_not_check(grading.rubric, f"the engine failed: {reason}")
    finally:
        clean_session(client)
        client.close()


def _isolated(name: str, folder: Path, grading: Grading, on_outcome: OnOutcome | None) -> Report:
    try:
        with isolated_engine() as engine:
            return judge_on(engine, name, folder, on_outcome=on_outcome)
    except (CourseError, DockerException, OSError) as error:
        reason = error.message if isinstance(error, CourseError) else str(error)
        return could_not_check(grading.rubric, f"the engine failed: {reason}")


def judge_on(engine: ReplayEngine, name: str, folder: Path, *, on_outcome: OnOutcome | None = None) -> Report:
    """The same on an engine that is there already, and clean."""
    rubric = find_grading(name).rubric
    gathered, known = gather(engine, name, folder, on_outcome=on_outcome)
    outcomes = tuple(known.get(check.id) or outcome(check, gathered) for check in rubric.checks)
    return Report(assignment=name, outcomes=outcomes)


def gather(
    engine: ReplayEngine, name: str, folder: Path, *, on_outcome: OnOutcome | None = None
) -> tuple[Gathered[object], dict[str, Outcome]]:
    """All evidence of a submission, and the outcomes by id that it settled on the way, each told as soon as known."""
    assignment, grading = find_assignment(name), find_grading(name)
    gathered: Gathered[object] = Gathered(evidence=None)
    known: dict[str, Outcome] = {}
    for gathered in grading.gather(engine, assignment, collect(assignment, folder)):
        for check in grading.rubric.checks:
            if check.id not in known and gathered.settles(check):
                known[check.id] = outcome(check, gathered)
                if on_outcome:
                    on_outcome(known[check.id])
    return gathered, known


def _on(
    client: DockerClient,
    name: str,
    folder: Path,
    grading: Grading,
    on_outcome: OnOutcome | None,
    on_progress: OnProgress | None,
) -> Report:
    clean(client)
    with replay_engine(client, grading.images, on_progress=on_progress) as engine:
        return judge_on(engine, name, folder, on_outcome=on_outcome)
