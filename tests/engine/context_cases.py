"""Build contexts with everything that a file tree can hold, to be built by the course and by the docker CLI.

Each case is a function that fills a folder; its docstring says what is hard about it.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path

Case = Callable[[Path], None]

DOCKERFILE = "FROM scratch\nCOPY . /\n"


def tree(root: Path, *paths: str) -> None:
    """Files with their own path as content; a path that ends in a slash is an empty folder."""
    for path in paths:
        if path.endswith("/"):
            (root / path).mkdir(parents=True, exist_ok=True)
            continue
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"{path}\n")


def ignored(root: Path, *lines: str, name: str = ".dockerignore") -> None:
    """Write an ignore file."""
    (root / name).write_text("\n".join(lines) + "\n")


def dockerfile(root: Path, *lines: str, name: str = "Dockerfile") -> None:
    """Write a Dockerfile other than the usual one."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("\n".join(lines) + "\n")


def plain_tree(root: Path) -> None:
    """Names whose order changes when the slash counts as a letter."""
    tree(root, "a/b", "a.b", "a-b/c", "a0", "A", "empty/", "a/empty/deep/", "zz/y/x/w")


def ignored_dockerfile(root: Path) -> None:
    """What builds the image is not in it."""
    tree(root, "keep")
    ignored(root, "Dockerfile", ".dockerignore")


def everything_but(root: Path) -> None:
    """All is left out, and some of it brought back."""
    tree(root, "src/a.js", "src/b.js", "lib/c.js", "top.txt", "other/")
    ignored(root, "*", "!src")


def everything_but_one_deep_file(root: Path) -> None:
    """Only a file two folders down comes back; its folders must come along, and nothing else of them."""
    tree(root, "src/in/a.js", "src/in/b.js", "src/b.js", "lib/c.js")
    ignored(root, "*", "!src/in/a.js")


def back_and_out_again(root: Path) -> None:
    """The last pattern that matches decides."""
    tree(root, "a/1.txt", "a/2.txt", "a/3.md", "a/b/1.txt", "a/b/2.txt")
    ignored(root, "a", "!a/b", "a/b/2.txt", "!a/1.txt")


def any_depth(root: Path) -> None:
    """`**/name` at every depth, the first included."""
    tree(root, "node_modules/x", "a/node_modules/x", "a/b/node_modules/c/x", "a/node_modules_not/x", "xnode_modules")
    ignored(root, "**/node_modules")


def suffix_at_any_depth(root: Path) -> None:
    """`**.ext` and `**/*.ext`."""
    tree(root, "a.log", "b/a.log", "b/c/a.log", "b/c/a.logs", "b/x.tmp", "x.tmp", ".tmp")
    ignored(root, "**.log", "**/*.tmp")


def prefix_and_stars(root: Path) -> None:
    """`name**`, `name/**`, `na*e` and `?`."""
    tree(root, "build", "builder/x", "out/x", "out/y/z", "cache1/x", "cache22/x", "c.d", "cxd")
    ignored(root, "build**", "out/**", "cache?", "c.d")


def stars_inside(root: Path) -> None:
    """`a/**/b` with nothing, one and two folders between; a single star stops at a slash."""
    tree(root, "a/b/k", "a/x/b/k", "a/x/y/b/k", "a/x/y/k", "q/r/s.txt", "q/s.txt")
    ignored(root, "a/**/b", "q/*.txt")


def classes(root: Path) -> None:
    """Bracket classes, negated ones and ranges."""
    tree(root, *(f"f{letter}.o" for letter in "abcdxyz019_"), "g-", "g]", "ga")
    ignored(root, "f[a-c0].o", "f[^a-y0-8_].o", "g[\\-\\]]")


def odd_expressions(root: Path) -> None:
    """What is special in a regular expression and not in a pattern."""
    tree(root, "a.c", "abc", "a+b", "aab", "a(b)", "a{2}", "aa", "$x", "x$", "^y", "y")
    ignored(root, "a.?", "a+*", "a(b*", "a{2*", "$*", "x$")


def expressions_that_moby_lets_through(root: Path) -> None:
    """moby means to escape these too, but its table is too small for them: they are repetition, choice and anchor."""
    tree(root, "aa", "aaa", "a{2}", "b1", "c1", "b|c1", "q", "^z1", "z1", "d,", "d{,")
    ignored(root, "a{2}?", "b|c?", "*^z1", "d{,*")


def escapes(root: Path) -> None:
    """A backslash takes the meaning away."""
    tree(root, "a*b", "aXb", "#x", "!y", "q?", "qq", " z", "[k]")
    ignored(root, "a\\*b", "\\#x", "\\!y", "q\\?", "[[]k]")


def comments_and_blanks(root: Path) -> None:
    """Comments only at a line's very start; blanks around a pattern do not count, nor do empty lines."""
    tree(root, "a", "b", "#c", " d", "e f", "g")
    ignored(root, "# a", "   b   ", "", "\t", " #c", "e f", "g # not a comment")


def byte_order_mark(root: Path) -> None:
    """Written by an editor that begins files with a mark, and ends lines with CRLF."""
    tree(root, "a", "b", "c")
    (root / ".dockerignore").write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")


def untidy_paths(root: Path) -> None:
    """Slashes in front, behind and doubled; `.` and `..`."""
    tree(root, "a/x", "b/x", "c/d/x", "e/x", "f/x")
    ignored(root, "/a", "b/", "c//d", "./e", "g/../f", "../outside")


def untidy_exceptions(root: Path) -> None:
    """The same behind a `!`."""
    tree(root, "a/x", "b/x", "c/x", "d")
    ignored(root, "*", "! /a", "!b/", "!./c")


def own_ignore_file(root: Path) -> None:
    """`<Dockerfile>.dockerignore` wins over .dockerignore."""
    tree(root, "a", "b", "c")
    ignored(root, "a")
    ignored(root, "b", name="Dockerfile.dockerignore")


def empty_own_ignore_file(root: Path) -> None:
    """It wins even when it says nothing."""
    tree(root, "a", "b")
    ignored(root, "a")
    (root / "Dockerfile.dockerignore").write_text("")


def ignore_file_that_ignores_itself(root: Path) -> None:
    """It is read all the same."""
    tree(root, "a", "b")
    ignored(root, ".dockerignore", "Docker*", "a")


def everything_ignored(root: Path) -> None:
    """An image with nothing in it."""
    tree(root, "a/b", "c")
    ignored(root, "**")


def modes(root: Path) -> None:
    """Every sort of permission, with the three special bits, on files and folders."""
    for mode in (0o400, 0o444, 0o600, 0o644, 0o664, 0o666, 0o700, 0o755, 0o775, 0o777, 0o4755, 0o2755, 0o1777, 0o6755):
        tree(root, f"files/{mode:o}", f"folders/{mode:o}/x")
        (root / f"files/{mode:o}").chmod(mode)
        (root / f"folders/{mode:o}").chmod(mode)


def symbolic_links(root: Path) -> None:
    """To files and folders, up and out, absolute, to nowhere, to themselves, and long."""
    tree(root, "a/x", "b/y")
    for name, target in {
        "file": "a/x",
        "folder": "a",
        "b/up": "../a/x",
        "out": "../../outside",
        "absolute": "/etc/passwd",
        "nowhere": "none/such",
        "self": "self",
        "blank": "a b\tc",
        "long": "d/" * 500 + "e",
    }.items():
        (root / name).symlink_to(target)


def hard_links(root: Path) -> None:
    """Two and three names for a file, across folders, before and after in the order of names."""
    tree(root, "m/one", "m/two")
    for name in ("a", "m/one-more", "z/one"):
        (root / name).parent.mkdir(exist_ok=True)
        os.link(root / "m/one", root / name)
    os.link(root / "m/two", root / "zz")


def hard_link_with_its_first_name_ignored(root: Path) -> None:
    """What would be the first name does not travel."""
    tree(root, "a", "c")
    os.link(root / "a", root / "b")
    os.link(root / "a", root / "d")
    ignored(root, "a")


def hard_linked_symbolic_link(root: Path) -> None:
    """Two names for one link."""
    tree(root, "x")
    (root / "a").symlink_to("x")
    os.link(root / "a", root / "b", follow_symlinks=False)


def odd_names(root: Path) -> None:
    """Blanks, quotes, globs, control characters, long ones, ones that look like options or like our own."""
    tree(root, "a b", " lead", "trail ", "q'uote", 'q"uote', "back\\slash", "st*r", "que?tion", "[br]", "#hash", "!")
    tree(root, "new\nline", "tab\there", "ret\rurn", "bell\a", "-rf", "--help", "%41", "a%20b", "a+b", "c;d", "a,b")
    tree(root, "n" * 255, "$HOME", "~", "...", "..x", ".hidden", "a:b", "café", "cafe\u0301", "日本", "🐳", "\u202e")


def names_that_are_not_text(root: Path) -> None:
    """Latin-1, and bytes that are no encoding's at all."""
    for name in (b"caf\xe9", b"\xff\xfe", b"ok", b"d\x80/x"):
        path = root / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name)


def sizes(root: Path) -> None:
    """Empty, one byte, around a chunk, a few MiB; zeros, and a hole."""
    for size in (0, 1, 127, 128, 16383, 16384, 32768, 131071, 131072, 131073, 3_000_000):
        (root / f"size{size}").write_bytes(
            bytes(index * 7 % 251 for index in range(min(size, 4096))) * (size // 4096 + 1)
        )
        os.truncate(root / f"size{size}", size)
    with (root / "hole").open("wb") as file:
        file.truncate(1 << 20)


def times(root: Path) -> None:
    """The epoch, before it, far ahead, and parts of a second."""
    for index, time_ns in enumerate((0, 1, 999_999_999, 10**18, 1_700_000_000_999_999_999, 4_000_000_000 * 10**9)):
        tree(root, f"t{index}", f"d{index}/")
        os.utime(root / f"t{index}", ns=(time_ns, time_ns))
        os.utime(root / f"d{index}", ns=(time_ns, time_ns))


def attributes(root: Path) -> None:
    """Extended attributes on a file and on a folder, with an empty value and a binary one."""
    tree(root, "file", "folder/x", "none")
    for name in ("file", "folder"):
        os.setxattr(root / name, "user.text", b"value")
        os.setxattr(root / name, "user.empty", b"")
        os.setxattr(root / name, "user.binary", bytes(range(256)))


def pipes_and_sockets(root: Path) -> None:
    """What is no file: a named pipe travels, a socket becomes an empty file."""
    tree(root, "x")
    os.mkfifo(root / "pipe", 0o640)
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(root)  # a socket's path is at most 107 bytes long
        try:
            server.bind("socket")
        finally:
            os.chdir(here)


def many_files(root: Path) -> None:
    """More than fits in one batch, and in one window."""
    tree(root, *(f"d{index % 40:02}/f{index:04}" for index in range(1500)))


def long_ignore_file(root: Path) -> None:
    """Its patterns travel in the headers, and are many."""
    tree(root, "a/4999", "a/5001", "b")
    ignored(root, *(f"a/{index}" for index in range(5000)))


def only_what_is_copied(root: Path) -> None:
    """Files, folders and globs by name; the rest stays at home."""
    tree(root, "a.txt", "b.txt", "c.md", "src/x/y.js", "src/z.js", "other/big")
    dockerfile(root, "FROM scratch", "COPY *.txt /t/", "COPY src/x /x", "COPY c.md src/z.js /f/")


def copied_through_links(root: Path) -> None:
    """A link as source, to a file, to a folder, and on the way."""
    tree(root, "real/deep/file", "real/other", "unrelated")
    (root / "link").symlink_to("real/deep/file")
    (root / "folder").symlink_to("real/deep")
    (root / "hop").symlink_to("folder")
    (root / "absolute").symlink_to("/real/other")
    dockerfile(
        root, "FROM scratch", "COPY link /1", "COPY folder/ /2/", "COPY hop/file /3", "COPY absolute /4", "COPY hop /5/"
    )


def copied_links_of_a_glob(root: Path) -> None:
    """Links that a pattern in the Dockerfile finds."""
    tree(root, "t/1", "t/2", "t/3", "x1.txt")
    (root / "x2.txt").symlink_to("t/2")
    (root / "x3.txt").symlink_to("x1.txt")
    dockerfile(root, "FROM scratch", "COPY x*.txt /out/")


def copied_but_ignored(root: Path) -> None:
    """Globs of the Dockerfile within what the ignore file leaves."""
    tree(root, "src/a.js", "src/a.test.js", "src/sub/b.js", "src/sub/b.test.js", "package.json")
    ignored(root, "**/*.test.js")
    dockerfile(root, "FROM scratch", "COPY package.json /app/", "COPY src /app/src")


def dockerfile_in_a_folder(root: Path) -> None:
    """Its ignore file stands beside it, and the context is the outer folder."""
    tree(root, "a", "b", "docker/c")
    dockerfile(root, "FROM scratch", "COPY . /", name="docker/Dockerfile.dev")
    ignored(root, "a", name="docker/Dockerfile.dev.dockerignore")
    ignored(root, "b")


CASES: tuple[Case, ...] = (
    plain_tree,
    ignored_dockerfile,
    everything_but,
    everything_but_one_deep_file,
    back_and_out_again,
    any_depth,
    suffix_at_any_depth,
    prefix_and_stars,
    stars_inside,
    classes,
    odd_expressions,
    expressions_that_moby_lets_through,
    escapes,
    comments_and_blanks,
    byte_order_mark,
    untidy_paths,
    untidy_exceptions,
    own_ignore_file,
    empty_own_ignore_file,
    ignore_file_that_ignores_itself,
    everything_ignored,
    modes,
    symbolic_links,
    hard_links,
    hard_link_with_its_first_name_ignored,
    hard_linked_symbolic_link,
    odd_names,
    names_that_are_not_text,
    sizes,
    times,
    attributes,
    pipes_and_sockets,
    many_files,
    long_ignore_file,
    only_what_is_copied,
    copied_through_links,
    copied_links_of_a_glob,
    copied_but_ignored,
    dockerfile_in_a_folder,
)
NEEDS_BUILDX = {suffix_at_any_depth, odd_expressions}
"""What the client of 20.10 reads in another way than all later ones (moby/patternmatcher), which the course follows."""
DOCKERFILES = {dockerfile_in_a_folder: "docker/Dockerfile.dev"}


def make(case: Case, root: Path) -> str:
    """Fill `root`, and return the name of the Dockerfile to build."""
    (root / "Dockerfile").write_text(DOCKERFILE)
    case(root)
    return DOCKERFILES.get(case, "Dockerfile")
