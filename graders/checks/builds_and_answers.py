"""The image builds, and its container answers."""

from graders.evidence.order import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """It answered after an edit of the source, so it also did before."""
    if evidence.answer is None:
        return Finding(holds=False, actual=f"no answer: {evidence.log}")
    said = evidence.answer.replace(evidence.edit, "…") if evidence.edit else evidence.answer
    return Finding(holds='"ok"' in evidence.answer, actual=said)


CHECK = Check(
    id="builds_and_answers",
    claim="The image builds, and its container answers GET /health.",
    points=1,
    judge=judge,
    needs=("cold", "source_edited", "answer", "log", "edit"),
    expected="GET /health on port 3000 is answered",
    hint="`course build .` shows the line at fault, `docker run --rm IMAGE` what the program says.",
    wrong="""\
FROM node:24-slim
COPY . .
CMD ["node", "src/index.js"]
""",
    right="""\
FROM node:24-slim
WORKDIR /app
COPY . .
ENV PRISMA_SCHEMA_ENGINE_BINARY=/bin/true
RUN npm install && npx prisma generate
CMD ["node", "src/index.js"]
""",
)
