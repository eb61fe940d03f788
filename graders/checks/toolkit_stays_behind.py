"""Nothing of the toolkit is in the final image."""

from graders.checks.exchanges import of_a_working_image
from graders.evidence.layers import LayersEvidence
from graders.rubric import Check, Finding


def judge(evidence: LayersEvidence) -> Finding:
    """A file is known by its content, wherever it lies and whatever its name."""
    if not evidence.toolkit:
        return Finding(holds=True, actual="nothing of the toolkit")
    first = sorted(evidence.toolkit)[:3]
    more = len(evidence.toolkit) - len(first)
    return Finding(holds=False, actual=", ".join(f"/{path}" for path in first) + (f" and {more} more" if more else ""))


CHECK = Check(
    id="toolkit_stays_behind",
    claim="Nothing of the toolkit is in your image: the report does not need it.",
    points=1,
    judge=of_a_working_image(judge),
    needs=("edited", "toolkit"),
    expected="no file of toolkit/, and none that toolkit/install.sh puts in place",
    hint="What is needed to build and what is needed to run can be two different images.",
    wrong="""\
FROM busybox:stable
COPY toolkit/ toolkit/
RUN sh toolkit/install.sh /opt/toolkit
""",
    right="""\
FROM busybox:stable AS build
COPY toolkit/ toolkit/
RUN sh toolkit/install.sh /opt/toolkit
FROM busybox:stable
COPY --from=build /app/index.txt /app/
""",
)
