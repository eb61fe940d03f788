"""The lighter image answers as the given one does."""

from graders.checks.exchanges import exchange_finding
from graders.evidence.layers import LayersEvidence
from graders.rubric import Check, Finding


def judge(evidence: LayersEvidence) -> Finding:
    """A page that no edit touches, and one that nobody visited."""
    return exchange_finding(evidence.known)


CHECK = Check(
    id="answers_as_before",
    claim="Your image answers as the given one does when it is asked for a page.",
    points=2,
    judge=judge,
    needs=("known",),
    expected="`docker run IMAGE PAGE` prints what the given image prints, and ends with the same status",
    hint="`docker run --rm IMAGE cache` with both images. Does the program find index.txt beside it, and get the word?",
    wrong="""\
COPY --from=build /app/index.txt /
COPY report.sh /app/
# a word replaces CMD, and index.txt does not lie beside report.sh
CMD ["sh", "/app/report.sh"]
""",
    right="""\
COPY --from=build /app/index.txt /app/
COPY report.sh /app/
ENTRYPOINT ["sh", "/app/report.sh"]
""",
)
