"""Every container is on a network that was made for it."""

from course.lab.setup import Container
from graders.evidence.networks import NetworksEvidence
from graders.rubric import Check, Finding


def judge(evidence: NetworksEvidence) -> Finding:
    """As the engine has attached them."""
    wrong = [told for told in map(_fault, evidence.containers) if told]
    return Finding(holds=not wrong, actual="; ".join(wrong) or "each is on networks of its own")


def _fault(container: Container) -> str:
    if container.network_mode == "host":
        return f"{container.name} is on the host's network"
    if container.network_mode.startswith("container:"):
        return f"{container.name} shares another container's network"
    if any(one.network == "bridge" for one in container.networks):
        return f"{container.name} is on the default bridge"
    return ""


CHECK = Check(
    id="networks_are_its_own",
    claim="All are on networks of the set-up's own, none on the host's or on another container's.",
    points=1,
    judge=judge,
    needs=("containers",),
    expected="no container on the host's network, on the default bridge or on another container's",
    hint="`docker inspect NAME` shows a container's networks.",
    wrong="""\
docker run -d --name web --network host -e PORT=8080 web
""",
    right="""\
docker network create front
docker run -d --name web --network front -p 8080:3000 web
""",
)
