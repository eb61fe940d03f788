"""The learner knows which line of the given Dockerfile makes the largest layer."""

from graders.checks.answers import answer_finding
from graders.evidence.layers import LayersEvidence
from graders.rubric import Check, Finding


def judge(evidence: LayersEvidence) -> Finding:
    """Read from the image as it was built."""
    return answer_finding(evidence, "largest_line", evidence.given.largest_line)


CHECK = Check(
    id="finds_largest_layer",
    claim="You know which line of given.Dockerfile makes the largest layer.",
    points=1,
    judge=judge,
    needs=("answers", "given"),
    expected="largest_line: the number of the line whose layer is the largest, counted from 1",
    hint="Do not guess by what a line is for: build it and look at the sizes in the image's history.",
    wrong="""\
# answers.json: line 2 writes ten times as much as line 3
FROM busybox:stable
RUN head -c 10000000 /dev/zero > /data
RUN head -c  1000000 /dev/zero >> /data

{"largest_line": 2}
""",
    right="""\
# answers.json: but line 3 changes the file, and so stores all of it again
{"largest_line": 3}
""",
)
