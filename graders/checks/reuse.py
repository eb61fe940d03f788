"""What several checks ask: was the step with this effect reused after that edit?"""

from course.builds.model import BuildTrace, Status
from graders.evidence import OrderEvidence, StepRef
from graders.rubric import Finding


def reuse_finding(
    evidence: OrderEvidence,
    trace: BuildTrace | None,
    steps: tuple[StepRef, ...],
    *,
    edit: str,
    effect: str,
    hint: str,
) -> Finding:
    """Every step with the effect must be REUSED in the build after the edit; there must be one."""
    expected = f"the step that {effect} is reused after an edit of {edit}"
    if evidence.problem or trace is None:
        return Finding(holds=False, expected=expected, actual=evidence.problem or "no build", hint=hint)
    if trace.error:
        return Finding(holds=False, expected=expected, actual=f"the build fails: {trace.error}", hint=hint)
    if not steps:
        return Finding(holds=False, expected=expected, actual=f"no step of the Dockerfile {effect}", hint=hint)
    statuses = {(step.stage, step.index): step.status for step in trace.steps}
    again = [step for step in steps if statuses[step.stage, step.index] is not Status.REUSED]
    if again:
        lines = " and ".join(f"line {step.line}" for step in again)
        return Finding(holds=False, expected=expected, actual=f"{lines} ran again", hint=hint)
    return Finding(holds=True, expected=expected, actual="it was reused")
