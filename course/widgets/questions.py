"""Questions at the end of a lesson: options, and for each why it is right or not.

Enters: a lesson's questions as TOML. Leaves: `Question`s and their static form. Pure; may import `course.errors` and
its neighbours.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from course.errors import CourseError
from course.widgets.page import Page, listed


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question; `options` has the explanation of each option, in the order in which they are shown."""

    number: int
    text: str
    right: str
    options: Mapping[str, str]

    def feedback(self, option: str) -> str:
        """What is said when an option is picked."""
        return f"{'✓ Right.' if option == self.right else '✗ Not so.'} {self.options[option]}"


def parse_questions(text: str) -> tuple[Question, ...]:
    """Read `[[question]]` tables with `text`, `right` and `options`; raises `CourseError` when one is not whole."""
    found = []
    for number, one in enumerate(tomllib.loads(text).get("question", ()), start=1):
        if one["right"] not in one["options"]:
            raise CourseError(
                f"Question {number} has no option {one['right']!r}.", fix="its `right` is one of its options"
            )
        found.append(Question(number=number, text=one["text"], right=one["right"], options=one["options"]))
    return tuple(found)


def question_page(question: Question) -> Page:
    """The question with its options; the answers are folded away, and the text form has none."""
    head = f"{question.number}. {question.text}"
    answers = listed(
        f"{'✓' if option == question.right else '✗'} <strong>{escape(option)}</strong>: {escape(why)}"
        for option, why in question.options.items()
    )
    html = (
        f"<p><strong>{escape(head)}</strong></p>{listed(map(escape, question.options))}"
        f"<details><summary>The answers</summary>{answers}</details>"
    )
    return Page(html=html, text="\n".join([head, *(f"  - {option}" for option in question.options)]))
