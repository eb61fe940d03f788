"""The learner knows how many layers the given Dockerfile adds to its base."""

from graders.checks.answers import answer_finding
from graders.evidence.layers import LayersEvidence
from graders.rubric import Check, Finding


def judge(evidence: LayersEvidence) -> Finding:
    """Counted in the image as it was built."""
    return answer_finding(evidence, "added_layers", evidence.given.added_layers)


CHECK = Check(
    id="counts_added_layers",
    claim="You know how many layers given.Dockerfile adds to its base.",
    points=1,
    judge=judge,
    needs=("answers", "given"),
    expected="added_layers: the number of layers that the given image has and busybox:stable has not",
    hint="Which instructions can change a file? The others are settings of the image and add no layer.",
    wrong="""\
# answers.json: every line of this Dockerfile was counted
FROM busybox:stable
ENV LANG=C
RUN echo hello > /greeting
CMD ["cat", "/greeting"]

{"added_layers": 4}
""",
    right="""\
# answers.json: RUN alone adds a layer; FROM brings those of the base
{"added_layers": 1}
""",
)
