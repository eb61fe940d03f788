"""What a report shows beside its table: kept as JSON, drawn anew, and never too much."""

import json

import pytest

from course.images.layers import Change, ImageLayers, Kind, Layer
from course.lab.lineage import Deed, Lineage, Moment
from course.lab.reach import Answer, Reach
from course.lab.setup import Attachment, Container, Network, Setup
from graders.pictures import Picture, Surveyed, show

WEB = Container(
    id="1" * 64,
    name="project-web-1",
    image="<b>counter</b>",
    state="running",
    exit_code=0,
    network_mode="front",
    listens=(3000,),
    networks=(Attachment(network="front", address="172.20.0.2", names=("web",)),),
    mounts=(),
    ports=(),
)
FRONT = Network(id="2" * 64, name="front", driver="bridge", internal=False, subnets=("172.20.0.0/16",))
REACH = Reach(source=WEB.name, target=WEB.name, address="web", port=3000, answer=Answer.ANSWERED, seconds=0.1)
IMAGE = ImageLayers(
    name="your image",
    layers=(
        Layer(
            digest="sha256:1",
            created_by="RUN <script>",
            changes=(Change(path="big.bin", kind=Kind.ADDED, size_bytes=5_000_000, hidden_by=1),),
        ),
        Layer(digest="sha256:2", created_by="RUN rm", changes=(Change(path="big.bin", kind=Kind.REMOVED),)),
    ),
)
STORY = Lineage(
    moments=(
        Moment(deed=Deed.CREATED, container="db", volumes=("anonymous 1",)),
        Moment(deed=Deed.WROTE, container="db", volumes=("anonymous 1",), notes=("a note",)),
        Moment(deed=Deed.REMOVED, container="db", volumes=("anonymous 1",)),
        Moment(deed=Deed.READ, container="db", generation=2, volumes=("data",)),
    ),
    anonymous=("anonymous 1",),
)
PICTURES = {
    "layers": (IMAGE, "5.0 MB"),
    "networks": (Surveyed(setup=Setup(containers=(WEB,), networks=(FRONT,), volumes=()), reaches=(REACH,)), "front"),
    "volumes": (STORY, "1 note lost"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_is_kept_as_what_it_shows_and_drawn_anew(kind: str) -> None:
    shows, words = PICTURES[kind]
    made = show("A title", shows)
    assert made is not None
    assert set(made.to_json()) == {"title", kind}
    assert Picture.from_json(json.loads(json.dumps(made.to_json()))) == made
    page = made.to_html()
    assert page.count("<svg") == 1
    assert "A title" in page
    assert words in page
    assert "<script" not in page
    assert "<b>" not in page


def test_too_much_is_not_pictured() -> None:
    changes = tuple(Change(path=f"{n}.js", kind=Kind.ADDED, size_bytes=1) for n in range(3_001))
    assert show("", ImageLayers(name="", layers=(Layer(digest="", created_by="", changes=changes),))) is None
    many = Surveyed(setup=Setup(containers=(WEB,) * 41, networks=(FRONT,), volumes=()))
    assert show("", many) is None
    moments = tuple(Moment(deed=Deed.CREATED, container=f"{n}", volumes=(f"{n}",)) for n in range(21))
    assert show("", Lineage(moments=moments)) is None
    words = Layer(digest="", created_by="RUN " + "x" * 300_000, changes=())
    assert show("", ImageLayers(name="", layers=(words,))) is None
    assert show("", None) is None


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="no picture"):
        Picture.from_json({"title": "", "svg": "<svg onload='alert(1)'/>"})
