"""From outside there is web, and nothing else."""

from typing import Final

from graders.evidence.networks import PORT, NetworksEvidence, Opened
from graders.rubric import Check, Finding

FIRST_FREE_PORT: Final = 32768
"""Linux gives out the ports from here on (ip_local_port_range, ip(7))."""


def judge(evidence: NetworksEvidence) -> Finding:
    """Every port that the machine listens on now and did not before must be one that web alone publishes."""
    wrong = [opened for opened in evidence.opened if opened.parts != ("web",)]
    if wrong:
        return Finding(holds=False, actual="; ".join(_told(opened) for opened in wrong))
    ports = [opened.port for opened in evidence.opened]
    return Finding(
        holds=PORT in ports,
        actual=f"of web: {', '.join(map(_called, ports))}" if ports else "nothing is published",
        hint=""
        if ports
        else "What is published on an internal network, or not published at all, nobody outside reaches.",
    )


def _told(opened: Opened) -> str:
    owners = " and ".join(opened.parts)
    port = _called(opened.port)
    return f"{port} is published by {owners}" if owners else f"{port} is open on the machine"


def _called(port: int) -> str:
    """The engine picks another free port each time, where none is named."""
    return f"port {port}" if port < FIRST_FREE_PORT else "a free port"


CHECK = Check(
    id="only_web_is_published",
    claim="Of the three, only web can be reached from outside.",
    points=1.5,
    judge=judge,
    needs=("opened",),
    expected=f"the machine listens on web's port {PORT} and on none for the API or for Redis",
    hint="Containers on one network reach each other's ports without any being published.",
    wrong="""\
docker run -d --name db --network back -p 6379:6379 redis:7
""",
    right="""\
docker run -d --name db --network back redis:7
""",
)
