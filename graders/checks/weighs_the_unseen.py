"""The learner knows how much of the given image nobody can see."""

from graders.checks.answers import answer_finding
from graders.evidence.layers import LayersEvidence
from graders.rubric import Check, Finding

TOLERANCE = 0.1
"""For MB against MiB, and for tools that count blocks."""


def judge(evidence: LayersEvidence) -> Finding:
    """All that a layer holds and a later one removes or replaces."""
    return answer_finding(evidence, "unseen_mb", evidence.given.unseen_bytes / 1e6, tolerance=TOLERANCE)


CHECK = Check(
    id="weighs_the_unseen",
    claim="You know how many MB of the given image nobody can see.",
    points=1,
    judge=judge,
    needs=("answers", "given"),
    expected="unseen_mb: the MB that layers hold and that later layers remove or replace, within a tenth",
    hint="A file goes out of sight when a later layer removes it, and also when a later layer holds it again.",
    wrong="""\
# answers.json: the deleted file, once
FROM busybox:stable
RUN umask 077 && head -c 10000000 /dev/zero > /data
RUN chmod a+r /data
RUN rm /data

{"unseen_mb": 10}
""",
    right="""\
# answers.json: as it was written, and again as it was after chmod
{"unseen_mb": 20}
""",
)
