"""Networks as regions, containers across them, and who reaches whom.

Enters: a `Setup`, and the `Reach`es measured in it. Leaves: a `Drawing`. Pure; may import `course.lab`'s nouns and its
neighbours.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from course.lab.explain_reach import explain, networks
from course.lab.reach import HOST, Answer, Reach
from course.lab.reach_matrix import ReachMatrix
from course.lab.setup import Container, Setup, network_owner
from course.widgets import svg
from course.widgets.drawing import Drawing, Part

_TOP: Final = 46
_HEAD: Final = 46
_REGION: Final = 52
_LEFT: Final = {svg.WIDTH: 170, svg.SLIM: 146}
"""Per width of the picture where its columns begin."""
_CELL: Final = 26
_WIDEST: Final = 150
_LEGEND_LINE: Final = 16
_FIRM: Final = "\N{NO-BREAK SPACE}"
_MARKS: Final = {
    Answer.ANSWERED: ("✓", "good"),
    Answer.REFUSED: ("✗", "bad"),
    Answer.TIMED_OUT: ("…", "bad"),
    Answer.NAME_NOT_FOUND: ("?", "work"),
    Answer.UNREACHABLE: ("⊘", "bad"),
    Answer.NOT_RUNNING: ("-", "quiet"),
}
"""Per answer a mark and a class; the words are the answer's own."""


def draw_network(
    setup: Setup, reaches: Sequence[Reach] = (), *, title: str = "Who is where, and who reaches whom", suffix: str = ""
) -> Drawing:
    """The whole picture: the map, and below it a table of what was measured. `suffix`, of a scratch world's names, is
    left out.
    """
    wide, slim = (_Page(setup, reaches, suffix, width) for width in (svg.WIDTH, svg.SLIM))
    words = "\n".join((title, *wide.words()))
    return Drawing(svg=wide.draw(title, words), slim=slim.draw(title, words), text=words, panels=wide.panels())


def _cell(words: str, look: str, x: float, y: float, width: float) -> Iterator[str]:
    yield svg.rect(x, y + 2, width, _CELL - 4, look)
    if width > 84:
        yield svg.text(x + 8, y + 17, words, "small", limit=int(width / 6.2))
    else:
        yield svg.text(x + width / 2, y + 17, words[0], text_anchor="middle")


class _Page:
    """Where everything is, and what is said of it."""

    def __init__(self, setup: Setup, reaches: Sequence[Reach], suffix: str, page_width: int) -> None:
        self._page_width, self._left = page_width, _LEFT[page_width]
        self._is_wide = page_width == svg.WIDTH
        self._setup, self._reaches, self._suffix = setup, reaches, suffix
        used = {name for container in setup.containers for name in networks(container)}
        own = [one for one in setup.networks if one.driver not in ("host", "null") and one.name != "bridge"]
        self._networks = [one for one in setup.networks if one.name in used or one in own]
        outside = {one.target for one in reaches} - {one.name for one in setup.containers}
        self._width = min(_WIDEST, (page_width - self._left - 16) / max(1, len(setup.containers) + len(outside)))
        self._regions_y = _TOP + _HEAD + 6
        self._table_y = self._regions_y + _REGION * (len(self._networks) + 1) + 14
        self._matrix = ReachMatrix(setup, reaches)
        self._sources, self._targets = self._matrix.sources, self._matrix.targets
        self._legend = self._answer_lines()
        legend = _LEGEND_LINE * max(0, len(self._legend) - 1)
        self._height = self._table_y + (_CELL * (len(self._sources) + 2) + 8 + legend if reaches else 0)

    def draw(self, title: str, words: str) -> str:
        return svg.document(self._page_width, self._height, title, words, (*self.map(), *self.table()))

    def map(self) -> Iterator[str]:
        for position, network in enumerate(self._networks):
            y = self._regions_y + _REGION * position
            yield svg.rect(16, y, self._page_width - 32, _REGION - 6, "quiet", rx=10)
            yield svg.text(28, y + 20, self._plain(network.name), "strong", limit=int((self._left - 24) / 7.6))
            parts = (network.driver, *network.subnets[:1])
            kind = "internal: no way out" if network.internal else " ".join(parts if self._is_wide else parts[-1:])
            yield svg.text(28, y + 36, kind, "small faint", limit=22 if self._is_wide else 20)
        host_y = self._regions_y + _REGION * len(self._networks)
        yield svg.rect(16, host_y, self._page_width - 32, _REGION - 6, "paper", rx=10)
        yield svg.text(28, host_y + 20, HOST, "strong")
        yield svg.text(28, host_y + 36, "published ports", "small faint")
        for position, container in enumerate(self._setup.containers):
            x = self._left + self._width * position
            yield svg.group(container.id[:12], self._spoken(container), self._column(container, x, host_y))
        for position, container in enumerate(self._setup.containers):
            yield from self._answers(container, self._left + self._width * position)

    def _column(self, container: Container, x: float, host_y: float) -> Iterator[str]:
        width, middle = self._width - 10, x + (self._width - 10) / 2
        running = container.state == "running"
        yield svg.rect(x, _TOP, width, _HEAD - 8, "good" if running else "quiet")
        name = self._plain(container.name)
        yield svg.text(middle, _TOP + 17, name, "strong", limit=int(width / 8), text_anchor="middle")
        state = "✓ running" if running else f"- {container.state}"
        yield svg.text(middle, _TOP + 31, state if width > 60 else state[0], "small", text_anchor="middle")
        rows = {one.name: position for position, one in enumerate(self._networks)}
        attached = [(rows[one.network], one) for one in container.networks if one.network in rows]
        lowest = max((self._regions_y + _REGION * row for row, _ in attached), default=0.0)
        on_the_host = container.network_mode == "host"
        if container.ports or on_the_host:
            lowest = host_y
        if lowest:
            yield svg.line(middle, _TOP + _HEAD - 8, middle, lowest + 10, "rule", stroke_width=2)
        for row, one in attached:
            y = self._regions_y + _REGION * row
            yield svg.rect(x, y + 8, width, _REGION - 22, "ask")
            fits = len(one.address) * 6.7 < width - 4
            last = one.address if fits else "." + one.address.rpartition(".")[2]
            yield svg.text(middle, y + 28, last or "no address", "small code", text_anchor="middle")
        if container.ports or on_the_host:
            yield svg.rect(x, host_y + 8, width, _REGION - 22, "work")
            ports = ", ".join(f"{one.host_port}→{one.container_port}" for one in container.ports)
            ports = "its network" if on_the_host else ports
            yield svg.text(middle, host_y + 28, ports, "small", limit=int(width / 6), text_anchor="middle")

    def _answers(self, target: Container, x: float) -> Iterator[str]:
        """In the place of a container's state, for each other one that is pointed at: whether that one reaches it."""
        width = self._width - 10
        for source in self._setup.containers:
            found = self._summary(source.name, target.name) if source is not target else None
            if found:
                words, look = found if width > 60 else (found[0][0], found[1])
                box = svg.rect(x, _TOP + 20, width, _HEAD - 28, look)
                limit = int(width / 6.2)
                said = svg.text(x + width / 2, _TOP + 33, words, "small", limit=limit, text_anchor="middle")
                yield svg.only_when((source.id[:12],), (box, said))

    def table(self) -> Iterator[str]:
        if not self._reaches:
            return
        top = self._table_y + 16
        yield svg.text(16, top, "from ↓  to →", "small faint")
        across = self._across()
        for target in self._targets:
            label, limit = self._plain(target), int((self._width - 10) / 7)
            x = across[target] + (self._width - 10) / 2
            yield svg.text(x, top, label, "small strong", limit=limit, text_anchor="middle")
        for row, source in enumerate(self._sources):
            y = top + 8 + _CELL * row
            yield svg.text(16, y + 17, self._plain(source), "strong", limit=int((self._left - 18) / 7.6))
            for target in self._targets:
                found = self._summary(source, target)
                if found:
                    cell = _cell(*found, across[target], y, self._width - 10)
                    label = f"from {self._plain(source)} to {self._plain(target)}: {found[0]}"
                    yield svg.group(f"{source}>{target}", label, cell)
        y = top + 8 + _CELL * len(self._sources) + 14
        for number, words in enumerate(self._legend):
            yield svg.text(16, y + _LEGEND_LINE * number, words, "small faint")

    def _answer_lines(self) -> list[str]:
        """What the marks mean; a line ends only between two of them."""
        seen = {reach.answer for reach in self._reaches}
        said = (f"{mark} {answer.value}" for answer, (mark, _) in _MARKS.items() if answer in seen)
        whole = " ".join(f"{one} ·".replace(" ", _FIRM) for one in said)
        return svg.wrapped(whole.removesuffix(f"{_FIRM}·"), int((self._page_width - 32) / 6))

    def _across(self) -> dict[str, float]:
        """Where each target's column begins; one of the world outside comes after the map's."""
        known = [container.name for container in self._setup.containers]
        columns = dict.fromkeys((*known, *self._targets))
        return {name: self._left + self._width * position for position, name in enumerate(columns)}

    def _summary(self, source: str, target: str) -> tuple[str, str] | None:
        """Words with a mark before them, and their class; None where no way was tried."""
        best = self._matrix.best(source, target)
        if best is None:
            return None
        mark, look = _MARKS[best.answer]
        return f"{mark} {self._matrix.summary(best)}", look

    def panels(self) -> dict[str, tuple[Part, ...]]:
        found: dict[str, tuple[Part, ...]] = {}
        for source in self._sources:
            for target in self._targets:
                ways = self._matrix.all_ways(source, target)
                if ways:
                    heading = f"from {self._plain(source)} to {self._plain(target)}"
                    found[f"{source}>{target}"] = (
                        Part(heading=heading, text="\n".join(map(self._line, ways)), code=True),
                    )
        for container in self._setup.containers:
            found[container.id[:12]] = (Part(heading=self._plain(container.name), text=self._spoken(container)),)
        return found

    def _line(self, reach: Reach) -> str:
        said = explain(self._setup, reach)
        fix = f" → {self._plain(said.fix)}" if said.fix else ""
        where = f"{self._plain(reach.address)}:{reach.port}"
        return f"{_MARKS[reach.answer][0]} {where}  {reach.answer.value}. {self._plain(said.why)}{fix}"

    def _spoken(self, container: Container) -> str:
        ways = [one for one in container.networks if one.network in networks(container)]
        on = ", ".join(f"{self._plain(one.network)} as {one.address or 'nothing'}" for one in ways)
        kind, _, _ = container.network_mode.partition(":")
        owner = network_owner(self._setup, container)
        shared = f"the network of {self._plain(owner.name) if owner else 'another'}"
        on = on or {"host": "the host's own network", "container": shared}.get(kind, "no network")
        ports = ", ".join(f"{one.address}:{one.host_port} to {one.container_port}" for one in container.ports)
        published = f"; published: {ports}" if ports else ""
        return f"{self._plain(container.name)} is {container.state}; on {on}{published}"

    def words(self) -> Iterator[str]:
        for container in self._setup.containers:
            yield self._spoken(container)
        for source in self._sources:
            for target in self._targets:
                found = self._summary(source, target)
                if found:
                    yield f"from {self._plain(source)} to {self._plain(target)}: {found[0]}"

    def _plain(self, words: str) -> str:
        return words.replace(self._suffix, "") if self._suffix else words
