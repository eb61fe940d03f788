"""What lies about in the folder and belongs in no image stays out: node_modules and .env."""

from graders.evidence import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """The replay plants a package of its own in node_modules, and an .env, before it builds."""
    expected = "neither node_modules nor .env of the folder in the image"
    hint = "`.dockerignore` names what the engine is not to see."
    if evidence.problem or evidence.source_edited is None or evidence.source_edited.error:
        return Finding(holds=False, expected=expected, actual=evidence.problem or "no build", hint=hint)
    found = sorted({name.partition("/")[0] for name in evidence.planted})
    seen = f"{' and '.join(found)} of the folder" if found else "neither"
    return Finding(holds=not found, expected=expected, actual=seen, hint=hint)


CHECK = Check(
    id="nothing_leaks_in",
    claim="node_modules and .env of the folder stay out of the image.",
    points=1,
    judge=judge,
    needs=("cold",),
)
