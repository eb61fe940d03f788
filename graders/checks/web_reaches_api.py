"""Web finds the API by a name."""

from graders.checks.by_name import by_name_finding
from graders.evidence.networks import NetworksEvidence
from graders.rubric import Check, Finding


def judge(evidence: NetworksEvidence) -> Finding:
    """Tried from within web's network, by every name that the API's container has."""
    return by_name_finding(evidence.web_to_api)


CHECK = Check(
    id="web_reaches_api",
    claim="Web reaches the API by a name.",
    points=1,
    judge=judge,
    needs=("web_to_api",),
    expected="from within web's network, a name of the API's container leads to its port",
    hint="Names are known on networks that you have made, to those that are on the same one.",
    wrong="""\
# on the default bridge there are no names
docker run -d --name api api
docker run -d --name web -p 8080:3000 web
""",
    right="""\
docker network create front
docker run -d --name api --network front api
docker run -d --name web --network front -p 8080:3000 web
""",
)
