"""What counts as a difference between two images."""

from course.advice import differing_paths


def test_what_programs_keep_for_themselves_is_no_difference() -> None:
    one = {"app/index.js": ("f", 1), "root/.cache/checkpoint-nodejs/signature": ("f", 2)}
    other = {"app/index.js": ("f", 1), "root/.cache": ("d",)}
    assert differing_paths(one, other) == set()
    assert differing_paths(one, {**other, "app/index.js": ("f", 3), "app/.cached": ("f", 4)}) == {
        "app/index.js",
        "app/.cached",
    }
    assert differing_paths(one, {}) == {"app/index.js"}
