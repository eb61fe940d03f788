"""After a package is added to package.json, it is in the image."""

from graders.evidence import PACKAGE, OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """A cached install that no longer fits is fast and wrong."""
    expected = f"{PACKAGE}, added to package.json and its lock file, can be loaded in the image"
    hint = "The step that installs must stand on package.json and package-lock.json, and install what they say."
    trace = evidence.package_edited
    if evidence.problem or trace is None:
        return Finding(holds=False, expected=expected, actual=evidence.problem or "no build", hint=hint)
    if trace.error:
        return Finding(holds=False, expected=expected, actual=f"the build fails: {trace.error}", hint=hint)
    there = PACKAGE in evidence.packages
    return Finding(holds=there, expected=expected, actual="it is there" if there else "it is missing", hint=hint)


CHECK = Check(
    id="package_edit_arrives",
    claim="After a package is added to package.json it is in the image.",
    points=1,
    judge=judge,
    needs=("cold", "edits"),
)
