"""moby's patterns, as .dockerignore has them: which paths a list of patterns matches.

Enters: patterns and slash-separated paths. Leaves: whether they match. Pure; imports no other room.

A port of moby/patternmatcher (patternmatcher.go: New, compile, MatchesUsingParentResults), oddities included: a pattern
becomes a Go regular expression letter by letter, so `^` is an anchor where a `*` stands beside it, `\\d` is any digit,
and `**/` does not cross the end of a line.
"""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_TO_ESCAPE: Final = frozenset(".+()$")
"""moby means `|{}` too, but its table has no room for letters from 64 on (escapeBytes: eight bytes, indexed by b/8)."""
_REPETITION: Final = re.compile(r"\{\d{1,3}(,\d{0,3})?}")
_GO_SPACE: Final = "".join(chr(code) for code in range(0x3001) if chr(code).isspace() and not 0x1C <= code <= 0x1F)
"""What Go's strings.TrimSpace takes off: Unicode's white space, without Python's four separators."""
_GO_LETTERS: Final = {"z": r"\Z", "A": r"\A", "a": r"\x07", **{c: "\\" + c for c in "bBdDsSwWfnrtv"}}
"""What Go's regexp/syntax makes of a backslash before a letter; any other letter or digit is an error or unheard of."""
_GO_CLASSES: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}

Matched = tuple[bool, ...]
"""Which of the patterns matched a directory; asked for again for what the directory holds (moby's MatchInfo)."""


class BadPattern(ValueError):
    """A pattern that moby refuses."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """One pattern: `text` cleaned and without its `!`, `brings_back` when it had one."""

    text: str
    brings_back: bool
    matches: Callable[[str], bool]


class PatternMatcher:
    """A list of patterns, of which the last that matches decides."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises `BadPattern`."""
        self.patterns = tuple(_parse(text) for pattern in patterns if (text := pattern.strip(_GO_SPACE)))
        self.brings_back = any(pattern.brings_back for pattern in self.patterns)

    def match(self, path: str, parent: Matched) -> tuple[bool, Matched]:
        """Whether `path` is matched, given what matched the directory that holds it; `()` at the root."""
        result, matched = False, []
        for index, pattern in enumerate(self.patterns):
            hit = bool(parent) and parent[index]
            if not hit and pattern.brings_back == result:
                hit = pattern.matches(path)
            matched.append(hit)
            if hit:
                result = not pattern.brings_back
        return result, tuple(matched)


def clean(path: str) -> str:
    """Go's path.Clean."""
    rooted = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", ".") and not (part == ".." and rooted):
            parts.append(part)
    return ("/" if rooted else "") + "/".join(parts) or "."


def read_patterns(text: str) -> tuple[str, ...]:
    """The patterns of an ignore file (moby/patternmatcher ignorefile/ignorefile.go, ReadAll)."""
    found = []
    for line in text.removeprefix("\ufeff").split("\n"):
        pattern = "" if line.startswith("#") else line.strip(_GO_SPACE)
        brings_back = pattern.startswith("!")
        if brings_back:
            pattern = pattern[1:].strip(_GO_SPACE)
        if pattern:
            pattern = clean(pattern)
            if len(pattern) > 1:
                pattern = pattern.removeprefix("/")
        if brings_back or pattern:
            found.append("!" * brings_back + pattern)
    return tuple(found)


def glob(pattern: str) -> re.Pattern[str]:
    """Go's filepath.Match for one name; raises `BadPattern`."""
    _check_syntax(pattern)
    parts, position = [], 0
    while position < len(pattern):
        letter = pattern[position]
        position += 1
        if letter == "*":
            parts.append("[^/]*")
        elif letter == "?":
            parts.append("[^/]")
        elif letter == "[":
            end = _class_end(pattern, position)
            parts.append(_python_class(pattern[position:end], posix=False))
            position = end + 1
        elif letter == "\\" and os.sep != "\\":
            parts.append(re.escape(pattern[position]))
            position += 1
        else:
            parts.append(re.escape(letter))
    return _regexp("".join(parts), pattern, re.DOTALL)


def _parse(pattern: str) -> Pattern:
    if os.sep == "\\":
        pattern = pattern.replace("\\", "/")
    text = clean(pattern)
    brings_back = text.startswith("!")
    if brings_back:
        text = text[1:]
    if not text:
        raise BadPattern('"!" alone is no pattern')
    _check_syntax(text)
    return Pattern(text=text, brings_back=brings_back, matches=_compile(text))


def _check_syntax(pattern: str) -> None:
    """Refuse what Go's filepath.Match refuses."""
    position = 0
    while position < len(pattern):
        letter = pattern[position]
        position += 1
        if letter == "[":
            position = _class_end(pattern, position) + 1
        elif letter == "\\" and os.sep != "\\":
            if position == len(pattern):
                raise BadPattern(f"{pattern!r} ends in a backslash")
            position += 1


def _class_end(pattern: str, position: int) -> int:
    """Where the `]` of a class stands whose `[` is just before `position`."""
    start = position
    if pattern[position : position + 1] == "^":
        position += 1
    ranges = 0
    while not (ranges and pattern[position : position + 1] == "]"):
        position = _class_letter(pattern, position, start)
        if pattern[position] == "-":
            position = _class_letter(pattern, position + 1, start)
        ranges += 1
    return position


def _class_letter(pattern: str, position: int, start: int) -> int:
    """Behind one letter of a class, which is not the pattern's last."""
    if pattern[position : position + 1] not in ("", "-", "]"):
        position += 2 if pattern[position] == "\\" and os.sep != "\\" else 1
        if position < len(pattern):
            return position
    raise BadPattern(f"{pattern!r}: the class that begins at {pattern[start - 1 :]!r} is not well formed")


def _compile(pattern: str) -> Callable[[str], bool]:
    """moby's Pattern.compile and Pattern.match."""
    expression, kind, position = "^", "exact", 0
    while position < len(pattern):
        start, letter = position, pattern[position]
        position += 1
        if pattern.startswith("**", start):
            position = start + (3 if pattern.startswith("**/", start) else 2)
            if position < len(pattern):
                expression, kind = expression + "(.*/)?", "regexp"
            elif kind == "exact":
                kind = "prefix"
            else:
                expression, kind = expression + ".*", "regexp"
            if start == 0:
                kind = "suffix"
        elif letter in "*?":
            expression, kind = expression + ("[^/]*" if letter == "*" else "[^/]"), "regexp"
        elif letter in _TO_ESCAPE:
            expression += "\\" + letter
        elif letter == "\\":
            expression, kind = expression + pattern[start : position + 1], "regexp"
            position += 1
        elif letter in "[]":
            expression, kind = expression + letter, "regexp"
        else:
            expression += letter
    return _matcher(pattern, kind, expression)


def _matcher(pattern: str, kind: str, expression: str) -> Callable[[str], bool]:
    if kind == "exact":
        return pattern.__eq__
    if kind == "prefix":
        return lambda path, prefix=pattern[:-2]: path.startswith(prefix)  # type: ignore[misc]
    if kind == "suffix":
        suffix = pattern[2:]
        return lambda path: path.endswith(suffix) or "/" + path == suffix
    found = _from_go(expression, pattern).search
    return lambda path: found(path) is not None


def _from_go(expression: str, pattern: str) -> re.Pattern[str]:
    """Go's regular expression as Python's."""
    parts, position = [], 0
    while position < len(expression):
        letter = expression[position]
        position += 1
        if letter == "[":
            end = _go_class_end(expression, position)
            if end < 0:
                raise BadPattern(f"{pattern!r} has a class without an end")
            parts.append(_python_class(expression[position:end], posix=True))
            position = end + 1
        elif letter == "\\":
            parts.append(_escaped(expression[position], pattern))
            position += 1
        elif repetition := _REPETITION.match(expression, position - 1):
            parts.append(repetition[0])
            position = repetition.end()
        else:
            parts.append(letter if letter in "^.*()?|" else re.escape(letter))
    return _regexp("".join(parts), pattern, re.ASCII)


def _regexp(expression: str, pattern: str, flags: re.RegexFlag) -> re.Pattern[str]:
    try:
        return re.compile(expression + r"\Z", flags)
    except re.error as error:
        raise BadPattern(f"{pattern!r}: {error}") from None


def _escaped(letter: str, pattern: str) -> str:
    if not letter.isalnum():
        if letter.isascii():
            return re.escape(letter)
    elif letter in _GO_LETTERS:
        return _GO_LETTERS[letter]
    raise BadPattern(f"{pattern!r}: \\{letter} means nothing")


def _go_class_end(expression: str, position: int) -> int:
    """Where Go's regexp/syntax ends the class whose `[` is just before `position`, or -1."""
    start = position + (expression[position : position + 1] == "^")
    position = start
    while position < len(expression):
        if expression[position] == "]" and position > start:
            return position
        if expression.startswith("[:", position) and (end := expression.find(":]", position + 2)) >= 0:
            position = end + 2
        else:
            position += 2 if expression[position] == "\\" else 1
    return -1


def _python_class(body: str, *, posix: bool) -> str:
    """A class between its brackets, for Python; with `posix` as Go's regexp reads it, else as filepath.Match does."""
    parts, position = [], 0
    if body.startswith("^"):
        parts, position = ["^"], 1
    while position < len(body):
        name = re.compile(r"\[:(\^?)(\w+):]").match(body, position) if posix else None
        if name:
            if name[1] or name[2] not in _GO_CLASSES:
                raise BadPattern(f"[{body}] names a class that is not known here")
            parts.append(_GO_CLASSES[name[2]])
            position = name.end()
            continue
        letter = body[position]
        position += 1
        if letter == "\\" and os.sep != "\\":
            letter = body[position]
            position += 1
            parts.append(_escaped(letter, f"[{body}]") if posix else re.escape(letter))
        else:
            parts.append("-" if letter == "-" else re.escape(letter))
    return f"[{''.join(parts)}]"
