"""The image weighs hardly more than the smallest base."""

from graders.checks.exchanges import of_a_working_image
from graders.evidence.layers import LayersEvidence
from graders.rubric import Check, Finding

LIMIT_BYTES = 500_000


def judge(evidence: LayersEvidence) -> Finding:
    """All its layers are weighed; where it begins is the student's choice."""
    more = evidence.added_bytes / 1e6
    return Finding(holds=evidence.added_bytes <= LIMIT_BYTES, actual=f"{more:.1f} MB more than busybox:stable")


CHECK = Check(
    id="image_is_light",
    claim="Your image weighs at most 0.5 MB more than busybox:stable.",
    points=1,
    judge=of_a_working_image(judge),
    needs=("edited", "added_bytes"),
    expected="all layers together weigh at most 0.5 MB more than busybox:stable",
    hint="Name what the report needs, and bring only that. A folder also holds what nobody thinks of, such as .git.",
    wrong="""\
FROM busybox:stable
COPY . /app
""",
    right="""\
FROM busybox:stable
COPY report.sh /app/
""",
)
