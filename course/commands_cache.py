"""What the commands about the cache do: `course predict`, `explain` and `propose`.

Enters: parsed arguments. Leaves: an exit status, as `course.commands` has it.
"""

import argparse
from typing import Final

from rich.markup import escape
from rich.syntax import Syntax

from course.commands import ERR, OUT, connect, pairs, print_json
from course.errors import CourseError

_PATHS_SHOWN: Final = 12


def predict(arguments: argparse.Namespace) -> int:
    """Say what building one folder would do right after another was built; needs no engine."""
    from course.forecast import predict_after, read_build
    from course.terminal import prediction_table

    try:
        client = connect(start=False)
    except CourseError:
        client = None  # base images are then taken to set nothing
    options = {"build_args": pairs(arguments.build_arg), "target": arguments.target, "client": client}
    before, after = (read_build(folder, **options) for folder in (arguments.before, arguments.after))
    predictions = predict_after(before, after)
    if arguments.json:
        print_json({"steps": [prediction.to_json() for prediction in predictions]})
    else:
        OUT.print(prediction_table(predictions))
    return 0


def explain(arguments: argparse.Namespace) -> int:
    """Predict a build, do it, and print both side by side."""
    from course.forecast import explain as run
    from course.terminal import prediction_table, print_result

    comparison = run(connect(), arguments.directory)
    OUT.print(prediction_table(comparison.predictions, comparison.trace))
    for surprise in comparison.surprises:
        OUT.print(f"[yellow]A surprise:[/] {escape(str(surprise))}")
    print_result(OUT, comparison.trace)
    return 0 if comparison.trace.ok else 1


def propose(arguments: argparse.Namespace) -> int:
    """Propose a better order for a Dockerfile, and prove it by building both."""
    from course.advice import advise, prove
    from course.clean import clean_session
    from course.terminal import proof_table

    advice = advise(arguments.directory)
    if not advice.proposal.moves:
        OUT.print("Nothing to move: no step was found that could be shown to need fewer files than it stands on.")
        return 0
    for move in advice.proposal.moves:
        OUT.print(f"Line {move.line}, [bold]{escape(move.text.splitlines()[0])}[/]: {escape(move.reason)}")
    OUT.print(Syntax(advice.diff, "diff", background_color="default"))
    if not arguments.no_build:
        client = connect()
        try:
            with ERR.status("Building both orders") as status:
                proof = prove(client, advice, on_build=lambda name, trace: status.update(f"Built: {name}"))
        finally:
            clean_session(client)
        OUT.print(proof_table(proof))
        OUT.print(f"Changes per week from {escape(advice.mix.origin)}.")
        if proof.differing:
            OUT.print(f"[yellow]The images differ in {len(proof.differing)} paths:[/]")
            for path in proof.differing[:_PATHS_SHOWN]:
                OUT.print(f"  {escape(path)}")
        else:
            OUT.print("Both images hold the same files, but for what differs from build to build in any case.")
    if arguments.apply:
        (advice.directory / "Dockerfile").write_text(advice.proposal.text, encoding="utf-8", newline="")
        OUT.print("The Dockerfile is in the proposed order now.")
    else:
        OUT.print("`course propose --apply` writes it.")
    return 0
