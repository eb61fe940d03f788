"""One submission from its folder to its report.

Enters: an assignment's name and a folder. Leaves: a `Report`, whatever the folder holds. May import `course` and all of
this room but its command line.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from docker.errors import DockerException

from course.assignments import find_assignment
from course.errors import CourseError
from course.images import OnProgress
from graders.findings import OURS, StaticFinding
from graders.intake import Submission
from graders.levels import choose, open_engine
from graders.lint import lint
from graders.rubric import Gathered, Level, Outcome, Report, could_not_check, outcome
from graders.rubrics import find_grading
from graders.sandbox import ReplayEngine
from graders.submission import Artifacts, collect

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
    artifacts = collect(find_assignment(name), folder)
    findings = lint(find_assignment(name), artifacts)
    if on_findings:
        on_findings(findings)
    level = Level.ISOLATED if kind == "vm" else Level.UNSANDBOXED  # who checks their own files is in no danger of them
    report = _replay(name, artifacts, kind, level, on_outcome, on_progress)
    return replace(report, findings=findings)


def judge_submission(name: str, submission: Submission, level: Level | None = None) -> Report:
    """The same of what was taken of a student's folder, at `level` or the best; what could not be read is noted."""
    findings = notice(name, submission.artifacts, submission.notes)
    return replace(_replay(name, submission.artifacts, "auto", level, None, None), findings=findings)


def notice(name: str, artifacts: Artifacts, notes: Sequence[str]) -> tuple[StaticFinding, ...]:
    """What is to be said beside the checks, worth no points."""
    ours = (StaticFinding(line=None, text=note, source=OURS) for note in notes)
    return (*ours, *lint(find_assignment(name), artifacts))


def _replay(
    name: str,
    artifacts: Artifacts,
    kind: str,
    level: Level | None,
    on_outcome: OnOutcome | None,
    on_progress: OnProgress | None,
) -> Report:
    grading = find_grading(name)
    report: Report | None = None
    try:
        chosen = choose(kind, level)
        with open_engine(grading.images, kind=kind, level=chosen, on_progress=on_progress) as engine:
            report = replace(judge_artifacts(engine, name, artifacts, on_outcome=on_outcome), level=chosen)
    except (CourseError, DockerException, OSError) as error:
        reason = error.message if isinstance(error, CourseError) else str(error)
        # one that is finished stays as it is when the engine can only not be removed
        report = report or could_not_check(grading.rubric, f"the engine failed: {reason}")
    return report


def judge_on(engine: ReplayEngine, name: str, folder: Path, *, on_outcome: OnOutcome | None = None) -> Report:
    """The same on an engine that is there already, and clean."""
    return judge_artifacts(engine, name, collect(find_assignment(name), folder), on_outcome=on_outcome)


def judge_artifacts(
    engine: ReplayEngine, name: str, artifacts: Artifacts, *, on_outcome: OnOutcome | None = None
) -> Report:
    """The same of files that have been taken from their folder already."""
    grading = find_grading(name)
    gathered, known = gather_from(engine, name, artifacts, on_outcome=on_outcome)
    outcomes = tuple(known.get(check.id) or outcome(check, gathered) for check in grading.rubric.checks)
    return Report(assignment=name, outcomes=outcomes, pictures=grading.seen(gathered.evidence))


def gather(
    engine: ReplayEngine, name: str, folder: Path, *, on_outcome: OnOutcome | None = None
) -> tuple[Gathered[object], dict[str, Outcome]]:
    """All evidence of a submission, and the outcomes by id that it settled on the way, each told as soon as known."""
    return gather_from(engine, name, collect(find_assignment(name), folder), on_outcome=on_outcome)


def gather_from(
    engine: ReplayEngine, name: str, artifacts: Artifacts, *, on_outcome: OnOutcome | None = None
) -> tuple[Gathered[object], dict[str, Outcome]]:
    """The same of files that have been taken from their folder already."""
    assignment, grading = find_assignment(name), find_grading(name)
    gathered: Gathered[object] = Gathered(evidence=None)
    known: dict[str, Outcome] = {}
    for gathered in grading.gather(engine, assignment, artifacts):
        for check in grading.rubric.checks:
            if check.id not in known and gathered.settles(check):
                known[check.id] = outcome(check, gathered)
                if on_outcome:
                    on_outcome(known[check.id])
    return gathered, known
