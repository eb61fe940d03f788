"""The static findings: for each kind a Dockerfile that it catches and one that it does not."""

import json
from pathlib import Path

import pytest

from course.assignments import Assignment
from course.dockerfile import parse
from graders.findings import (
    StaticFinding,
    copies_before_install,
    deleted_later,
    find_all,
    findings_html,
    lets_in,
    secrets,
)
from graders.lint import hadolint, lint
from graders.rubric import Report
from graders.submission import Artifacts


def lines(found: object) -> list[int | None]:
    return [one.line for one in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("COPY . .\nRUN npm ci --omit=dev", [2]),
        ("ADD ./ /app/\nRUN cd /app && pip install -r requirements.txt", [2]),
        ("COPY package.json .\nRUN npm ci\nCOPY . .", []),
        ("COPY --from=0 / /\nRUN npm ci", []),
        ("COPY . .\nRUN npm run build", []),
    ],
)
def test_the_folder_copied_before_an_installation(body: str, expected: list[int]) -> None:
    assert lines(copies_before_install(parse(f"FROM a\n{body}\n"))) == expected


@pytest.mark.parametrize(
    ("body", "ignored", "names", "expected"),
    [
        ("COPY . .", (), ("package.json",), [".git", ".env", "node_modules"]),
        ("COPY . .", (), (), [".git", ".env"]),
        ("COPY . .", (".git", "**/.env", "node_modules"), ("package.json",), []),
        ("COPY . .", ("*", "!src"), ("package.json",), []),
        ("COPY . .", (".git/*", ".env*"), (), []),
        ("COPY src/ src/", (), ("package.json",), []),
    ],
)
def test_what_dockerignore_lets_in(
    body: str, ignored: tuple[str, ...], names: tuple[str, ...], expected: list[str]
) -> None:
    found = lets_in(parse(f"FROM a\n{body}\n"), ignored, names)
    assert [one.text.partition(" copies ")[2].split()[0] for one in found] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("ENV DB_PASSWORD=x", [2]),
        ("ENV A=1 API_KEY=x", [2]),
        ("ARG NPM_TOKEN", [2]),
        ("COPY .env id_rsa /app/", [2, 2]),
        ("COPY certs/server.key /", [2]),
        ("ENV PASSWORD_FILE=/run/secrets/db TOKENIZERS_PARALLELISM=1 PASSENGER=1", []),
        ("COPY .env.example keys.js /app/", []),
        ("COPY --from=0 .env /app/", []),
        ("RUN --mount=type=secret,id=token cat /run/secrets/token", []),
    ],
)
def test_what_looks_like_a_secret(body: str, expected: list[int]) -> None:
    assert lines(secrets(parse(f"FROM a\n{body}\n"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nRUN make raw\nRUN rm -r raw\n", [3]),
        ("FROM a\nCOPY archive.tgz /tmp/\nRUN tar xf /tmp/archive.tgz\nRUN rm /tmp/archive.tgz\n", [4]),
        ("FROM a AS b\nCOPY tools /tools\nFROM b\nRUN rm -rf /tools\n", [4]),
        ("FROM a\nRUN make raw && use raw && rm -r raw\n", []),
        ("FROM a AS b\nRUN make raw\nRUN rm -r raw\nFROM a\nCOPY --from=b /x /x\n", []),
        ("FROM a\nRUN make raw\nRUN rm -rf /var/cache/*\n", []),
        ("FROM a\nRUN make rawer\nRUN rm -f raw\n", []),
    ],
)
def test_a_file_that_is_deleted_and_still_weighs(text: str, expected: list[int]) -> None:
    assert lines(deleted_later(parse(text))) == expected


def test_hadolint_has_its_say() -> None:
    assert hadolint("FROM busybox\n")[0].source == "hadolint DL3006"
    assert hadolint('FROM busybox:stable\nCMD ["sh"]\n') == ()
    assert hadolint("FROM busybox:stable\nRUM x\n")[0].line == 2


def test_a_secret_is_not_told_twice(tmp_path: Path) -> None:
    assignment = Assignment(name="x", folder=tmp_path, app=tmp_path, artifacts=("Dockerfile",))
    text = b"FROM busybox:stable\nENV TOKEN=x\n"
    found = lint(assignment, Artifacts(files={"Dockerfile": text}, problems={}))
    assert [(one.line, one.source) for one in found] == [(2, "graders")]


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe\x00", b"FROM", b"RUM x\n", b"FROM a\nENV\nCOPY\n", b"FROM a\n" * 5000]
)
def test_a_file_of_any_kind_is_looked_at(tmp_path: Path, text: bytes) -> None:
    assignment = Assignment(name="x", folder=tmp_path, app=tmp_path, artifacts=("Dockerfile",))
    lint(assignment, Artifacts(files={"Dockerfile": text, ".dockerignore": b"[a\n\xff"}, problems={}))


def test_findings_travel_beside_the_report_and_are_escaped() -> None:
    found = find_all(parse("FROM a\nCOPY . .\nENV TOKEN=x\n"), (".git",), ())
    assert [one.line for one in found] == [2, 3]
    report = Report(assignment="x", outcomes=(), findings=found)
    data = json.loads(json.dumps(report.to_json()))
    assert [set(one) for one in data["findings"]] == [{"line", "text", "source"}] * 2
    assert Report.from_json(data) == report
    assert "Also noticed" in report.to_html()
    assert "<b>" not in findings_html([StaticFinding(line=None, text="<b>", source="x")]).replace("<b>Also", "")
    assert "findings" not in Report(assignment="x", outcomes=()).to_json()
