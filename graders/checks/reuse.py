"""What several checks ask: was the step with this effect reused after that edit?"""

from course.builds.model import BuildTrace, Status
from graders.evidence.api import StepRef
from graders.rubric import Finding


def reuse_finding(trace: BuildTrace | None, steps: tuple[StepRef, ...], *, effect: str, edited: str) -> Finding:
    """Every step with the effect must be REUSED in the build after the edit; there must be one."""
    build = f"the build after an edit of {edited}"
    if trace is None or trace.error:
        return Finding(holds=False, actual=f"{build} fails: {trace.error if trace else 'it did not start'}")
    if not steps:
        return Finding(holds=False, actual=f"no step of the Dockerfile {effect}")
    statuses = {(step.stage, step.index): step.status for step in trace.steps}
    again = [step for step in steps if statuses[step.stage, step.index] is not Status.REUSED]
    lines = " and ".join(f"line {step.line}" for step in again)
    return Finding(holds=not again, actual=f"{lines} ran again in {build}" if again else f"it was reused in {build}")
