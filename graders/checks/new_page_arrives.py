"""A page that is added to visits.txt is in the answers of the next build."""

from graders.checks.exchanges import exchange_finding
from graders.evidence.layers import LayersEvidence
from graders.rubric import Check, Finding


def judge(evidence: LayersEvidence) -> Finding:
    """The page has a name that nobody can have known: a result that was copied in lacks it."""
    return exchange_finding(evidence.edited)


CHECK = Check(
    id="new_page_arrives",
    claim="A page that is added to visits.txt is in the report and can be asked for.",
    points=1,
    judge=judge,
    needs=("edited",),
    expected="after a line is added to visits.txt the image reports it as the given one does",
    hint="The index has to be made by the build, from the visits.txt of the folder.",
    wrong="""\
# the result of another day
RUN echo "cache 9680 7" > index.txt
""",
    right="""\
COPY visits.txt ./
RUN collect visits.txt raw && tally raw > index.txt
""",
)
