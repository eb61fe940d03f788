"""The rules of the code that a machine can check."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "notebooks", "course", "graders", "tests", "binder"}
BELOW = {
    # from top to bottom: each room may use those that are named after it, and itself
    "course.cli": "*",
    "course.commands": "*",
    "course.commands_cache": "*",
    "course.commands_lab": "*",
    "course.commands_vm": "*",
    "course.doctor": "engine images folders errors",
    "course.up": "engine folders errors",
    "course.terminal": "advice builds cache images",
    "course.terminal_setup": "lab",
    "course.advice": "builds cache context engine errors folders forecast lab labels",
    "course.forecast": "baseimages builds cache context errors folders labels",
    "course.baseimages": "cache",
    "course.lessons": "assignments cache clean engine errors folders forecast images lab labels widgets",
    "course.widgets": "builds dockerfile cache forecast lab images errors",
    "course.lab": "builds cache clean context engine errors folders labels images",
    "course.assignments": "errors folders",
    "course.images": "builds engine errors labels",
    "course.clean": "builds engine labels",
    "course.builds": "context contextfilter patterns dockerfile engine errors folders labels",
    "course.engine": "errors folders labels",
    "course.cache": "dockerfile fingerprint patterns",
    "course.context": "contextfilter errors fingerprint dockerfile patterns",
    "course.contextfilter": "patterns",
    "course.patterns": "",
    "course.dockerfile": "",
    "course.folders": "errors",
    "course.labels": "",
    "course.prompt": "",
    "course.errors": "",
    "course.saved": "",
}
PURE = (
    "course/patterns.py",
    "course/contextfilter.py",
    "course/cache",
    "course/lab/explain_reach.py",
    "course/lab/lineage.py",
    "course/widgets/drawing.py",
    "course/widgets/style.py",
    "course/widgets/svg.py",
    "course/widgets/stack.py",
    "course/widgets/costs.py",
    "course/widgets/history.py",
    "course/widgets/lineage.py",
    "course/widgets/network.py",
    "course/widgets/layers.py",
    "course/widgets/progress.py",
    "course/widgets/page.py",
    "course/widgets/guesses.py",
    "course/widgets/questions.py",
    "course/dockerfile.py",
    "course/saved.py",
    "course/builds/model.py",
    "graders/pictures.py",
    "course/builds/join.py",
    "course/builds/trace.py",
    "graders/findings.py",
    "graders/rubric.py",
)
IMPURE_IMPORTS = {"docker", "requests", "subprocess", "IPython", "socket", "tempfile", "shutil"}


def modules(room: str) -> list[Path]:
    path = PROJECT / room.replace(".", "/")
    return sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def imports(module: Path) -> set[str]:
    """Every module that is named in an import, those for type checkers and within functions included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


@pytest.mark.parametrize(("room", "allowed"), BELOW.items(), ids=list(BELOW))
def test_a_room_uses_only_what_is_below_it(room: str, allowed: str) -> None:
    if allowed == "*":
        return
    known = [one for one in BELOW if one != room and one.removeprefix("course.") not in allowed.split()]
    for module in modules(room):
        for name in imports(module):
            above = [one for one in known if name == one or name.startswith(one + ".")]
            assert not above, f"{module.relative_to(PROJECT)} uses {name}"


def test_the_course_never_uses_the_graders() -> None:
    for module in modules("course"):
        assert not [name for name in imports(module) if name.split(".")[0] == "graders"], module


@pytest.mark.parametrize("path", PURE)
def test_pure_rooms_touch_no_engine_and_no_process(path: str) -> None:
    for module in modules(path.removesuffix(".py").replace("/", ".")):
        assert not {name.split(".")[0] for name in imports(module)} & IMPURE_IMPORTS, module


def test_the_top_level_holds_just_what_the_design_names() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    top = {line.split("/")[0] for line in listed.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_modules_stop_at_400_lines() -> None:
    for room in ("course", "graders", "tests"):
        for module in modules(room):
            assert len(module.read_text(encoding="utf-8").splitlines()) <= 400, module


@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]], ids=" ".join)
def test_the_code_is_clean_and_typed(command: list[str]) -> None:
    paths = [] if command == ["mypy"] else ["course", "graders", "tests"]
    done = subprocess.run(
        [sys.executable, "-m", *command, *paths], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
