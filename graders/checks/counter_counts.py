"""The whole of it works: the page, and the count behind it."""

from graders.evidence.networks import PORT, Answers, NetworksEvidence
from graders.rubric import Check, Finding


def judge(evidence: NetworksEvidence) -> Finding:
    """Two visits one after the other are counted, and Redis knows it."""
    finding = counting(evidence.first)
    if finding.holds and evidence.first and max(evidence.kept, default=0) < evidence.first.visits[-1]:
        kept = " and ".join(str(count) for count in evidence.kept) or "none"
        return Finding(holds=False, actual=f"{finding.actual}; the count in Redis: {kept}")
    return finding


def counting(answers: Answers | None) -> Finding:
    """Whether the page is there and the visits go up."""
    if answers is None:
        return Finding(holds=False, actual="it was not asked")
    if not answers.visits:
        return Finding(holds=False, actual=f"GET /api says: {answers.said}" if answers.page else answers.said)
    counted = " and then ".join(str(visits) for visits in answers.visits)
    return Finding(holds=answers.good, actual=f"the page is there, and /api counts {counted} visits")


CHECK = Check(
    id="counter_counts",
    claim=f"Port {PORT} shows the page, and /api there counts the visits in Redis.",
    points=2,
    judge=judge,
    needs=("first", "kept"),
    expected=f"GET / and GET /api on port {PORT} answer, and each visit is counted in Redis",
    hint="What fails says why in its answer. From whose point of view is the address that it names?",
    wrong="""\
# in web's container, localhost is web's container
docker run -d --name web --network front -e API_URL=http://localhost:3000 -p 8080:3000 web
""",
    right="""\
docker run -d --name web --network front -e API_URL=http://api:3000 -p 8080:3000 web
""",
)
