"""After an edit of the source, packages and client are reused."""

from graders.checks.reuse import reuse_finding
from graders.evidence.capstone import CapstoneEvidence
from graders.rubric import Check, Finding


def judge(evidence: CapstoneEvidence) -> Finding:
    """As in the `order` assignment: which step does what is known by its effect."""
    if evidence.rewritten:
        lines = " and ".join(f"line {line}" for line in evidence.rewritten)
        return Finding(holds=False, actual=f"{lines} wrote as much as an installation, after an edit of src/index.js")
    trace, edited = evidence.source_edited, "src/index.js"
    installs = reuse_finding(trace, evidence.installs, effect="installs the dependencies", edited=edited)
    generates = reuse_finding(trace, evidence.generates, effect="generates the Prisma client", edited=edited)
    return generates if installs.holds else installs


CHECK = Check(
    id="whole_keeps_packages",
    claim="After an edit of a source file neither packages nor client are made again.",
    points=2,
    judge=judge,
    needs=("source_edited", "installs", "generates", "rewritten"),
    expected="the steps that install and generate are reused after an edit of src/index.js",
    hint="What changes most often comes last in a Dockerfile.",
    wrong="""\
COPY . .
RUN npm ci && npx prisma generate
""",
    right="""\
COPY package.json package-lock.json ./
RUN npm ci
COPY prisma.config.ts ./
COPY prisma/ prisma/
RUN npx prisma generate
COPY src/ src/
""",
)
