"""Nothing depends on the addresses that the engine happened to give."""

from dataclasses import replace

from graders.checks.counter_counts import counting
from graders.evidence.networks import NetworksEvidence
from graders.rubric import Check, Finding


def judge(evidence: NetworksEvidence) -> Finding:
    """It was brought up again while all of its first subnets and addresses were taken."""
    if isinstance(evidence.again, str):
        return Finding(holds=False, actual=f"where its first addresses are taken, {evidence.again}")
    finding = counting(evidence.again)
    return replace(finding, actual=f"where its first addresses are taken: {finding.actual}")


CHECK = Check(
    id="addresses_do_not_matter",
    claim="It comes up again where all the addresses are other ones.",
    points=1.5,
    judge=judge,
    needs=("again",),
    expected="page and count work again after down and up, on other subnets",
    hint="Which addresses are written down in your file? The engine gives others on another day.",
    wrong="""\
docker run -d --name web --network front -e API_URL=http://172.18.0.2:3000 -p 8080:3000 web
""",
    right="""\
docker run -d --name web --network front -e API_URL=http://api:3000 -p 8080:3000 web
""",
)
