"""The parts of the VM engine that need no machine: what the engine publishes, command lines, archives."""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from test_rules import imports

from course.engine.vm import bundle, kernel, launch, packages
from course.engine.vm.build import put_in_place, workshop
from course.engine.vm.machine import Drive, Form, Memory, qemu_command
from course.engine.vm.place import Manifest, Place, make_private, runtime_folder
from course.engine.vm.ports import published
from course.engine.vm.running import checked_shares, links_to
from course.errors import CourseError


def form(**changes: object) -> Form:
    base: dict[str, object] = {
        "guest": Path("/g"),
        "run": Path("/r"),
        "accelerator": "tcg",
        "memory_mib": 64,
        "processors": 1,
        "drive": Drive(file=Path("/g/disk.qcow2"), discarded=True),
        "monitor": 3,
        "agent": 4,
    }
    return Form(**{**base, **changes})  # type: ignore[arg-type]


def test_published_ports_are_those_with_a_public_number() -> None:
    containers = [
        {"Ports": [{"Type": "tcp", "PrivatePort": 80, "PublicPort": 8080}, {"Type": "tcp", "PrivatePort": 81}]},
        {"Ports": [{"Type": "udp", "PrivatePort": 53, "PublicPort": 5353}, {"Type": "sctp", "PublicPort": 9}]},
        {"Ports": None},
    ]
    assert published(containers) == {("tcp", 8080), ("udp", 5353)}


def test_all_forms_of_the_machine_have_the_same_devices() -> None:
    def devices(command: list[str]) -> list[str]:
        found = [command[place + 1] for place, word in enumerate(command) if word in ("-device", "-machine", "-cpu")]
        return [word for word in found if not word.startswith("file=")]

    memory = Memory(file=Path("/g/ram"), written=False)
    free = form(shares=(Path("/home"),), memory=memory, restores=True)
    assert devices(qemu_command(form(cut_off=True))) == devices(qemu_command(free))


def test_a_machine_that_is_cut_off_says_so_and_shares_nothing_of_the_users() -> None:
    words = " ".join(qemu_command(form(cut_off=True)))
    assert "restrict=on" in words
    assert words.count("path=/r/nothing,") == words.count("-fsdev")
    assert "restrict=on" not in " ".join(qemu_command(form()))


def test_commas_in_paths_are_doubled() -> None:
    assert "path=/a,,b," in " ".join(qemu_command(form(shares=(Path("/a,b"),))))


def test_sockets_move_to_a_short_folder_where_the_home_is_deep(tmp_path: Path) -> None:
    deep = Place(root=tmp_path / ("d" * 100))
    assert len(str(deep.run / "control.sock")) <= 107
    assert deep.run != Place(root=tmp_path / ("e" * 100)).run
    assert runtime_folder(Path("/short")) == Path("/short")


def test_a_folder_that_somebody_else_laid_out_is_not_trusted(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    trap, mine = tmp_path / "trap", tmp_path / "mine"
    mine.mkdir()
    trap.symlink_to(mine)
    (mine / "keeper.json").write_text("{}")
    with (mine / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert launch.record(mine) == {}
        assert launch.record(trap) is None
        assert not launch.end(trap)
    assert (mine / "keeper.json").exists()
    with pytest.raises(CourseError, match="somebody else"):
        make_private(trap)


def test_a_keeper_of_another_machine_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(launch, "_END_TIMEOUT_S", 0.1)
    with subprocess.Popen(["sleep", "60"]) as stranger, (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(stranger.pid, "another-start-of-a-machine pid:[1]", file=lock, flush=True)
        with pytest.raises(CourseError, match="another machine"):
            launch.end(tmp_path)
        assert stranger.poll() is None
        stranger.kill()


def test_a_guest_takes_the_place_of_another_and_is_made_once_at_a_time(tmp_path: Path) -> None:
    here = Place(root=tmp_path / "vm")
    for folder in (here.kept, here.guest):
        folder.mkdir(parents=True)
    (here.guest / "old").touch()
    with workshop(here) as folder:
        (folder / "guest").mkdir()
        (folder / "guest/new").touch()
        with pytest.raises(CourseError, match="Another command builds"), workshop(here):
            pass
        put_in_place(here, folder / "guest")
    assert [path.name for path in here.guest.iterdir()] == ["new"]
    assert sorted(path.name for path in here.root.iterdir() if path.is_dir()) == ["guest"]


def test_shares_within_another_are_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    assert checked_shares((tmp_path / "inner", tmp_path)) == [tmp_path.resolve()]


def test_links_that_lead_to_a_share_are_known_by_where_they_lead(tmp_path: Path) -> None:
    real, other = tmp_path / "disk/ada/project", tmp_path / "other"
    real.mkdir(parents=True)
    other.mkdir()
    home, work, elsewhere = tmp_path / "home", tmp_path / "work", tmp_path / "elsewhere"
    home.symlink_to(tmp_path / "disk")
    work.symlink_to(home / "ada/project")
    elsewhere.symlink_to(other)
    (real / "within").symlink_to(real)  # the share itself shows it
    names = (home / "ada/project", work, elsewhere, real, real / "within")
    assert links_to(names, [real]) == {str(home): str(tmp_path / "disk"), str(work): str(real)}


@pytest.mark.parametrize("path", ["/", "/etc", "/usr/lib"])
def test_what_the_guest_has_itself_is_not_shared(path: str) -> None:
    with pytest.raises(CourseError, match="cannot be shared"):
        checked_shares((Path(path),))


def test_the_kernel_reads_what_cpio_lists(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tool").write_bytes(b"odd")
    (tmp_path / "bin/link").symlink_to("tool")
    archive = kernel.cpio(tmp_path)
    assert len(archive) % 4 == 0
    names = [part.split(b"\0")[0] for part in archive.split(b"070701")[1:]]
    assert [name[104:] for name in names] == [b"bin", b"bin/link", b"bin/tool", b"TRAILER!!!"]


def test_modules_come_after_what_they_depend_on(tmp_path: Path) -> None:
    (tmp_path / "upper-one.ko").write_bytes(b"\0depends=lower\0")
    (tmp_path / "lower.ko").write_bytes(b"\0depends=\0")
    assert [name for name, _ in kernel.modules(tmp_path, ("upper_one", "built_in"))] == ["lower", "upper_one"]


def test_debians_address_is_read_where_python_apt_has_it(tmp_path: Path) -> None:
    assert packages.default_mirror(tmp_path) is None
    data = tmp_path / "usr/share/python-apt/templates/Debian.info"
    data.parent.mkdir(parents=True)
    data.write_text("Suite: {series}\nBaseURI: http://mirror.example/debian/\n")
    assert packages.default_mirror(tmp_path) == "http://mirror.example/debian"


def _tar_of_a_folder(file: Path) -> None:
    (file.parent / "folder").mkdir()
    with tarfile.open(file, "w:gz") as tar:
        tar.add(file.parent / "folder", ".")


def _tar_of_images(file: Path) -> None:
    """As `course images bundle` writes it."""
    with tarfile.open(file, "w:gz") as tar:
        for name, content in {"blobs/large": b"x", "manifest.json": b"[]"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("name", ["../outside", "/absolute"])
def test_a_bundle_writes_nothing_outside_its_folder(tmp_path: Path, name: str) -> None:
    file = tmp_path / "evil.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    here = Place(root=tmp_path / "home/vm")
    with pytest.raises(CourseError, match="no bundle"):
        bundle.unpack(here, file, say=lambda doing: None)
    assert not (tmp_path / "home/outside").exists()
    assert not (tmp_path / "home/vm/outside").exists()


@pytest.mark.parametrize(
    "make", [lambda file: file.write_text("hello"), _tar_of_a_folder, _tar_of_images], ids=["text", "folder", "images"]
)
def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path, make: Callable[[Path], object]) -> None:
    file = tmp_path / "file"
    make(file)
    with pytest.raises(CourseError, match="no bundle"):
        bundle.unpack(Place(root=tmp_path / "vm"), file, say=lambda doing: None)


def test_a_bundle_holds_the_parts_of_a_guest_and_what_was_noted_of_it(tmp_path: Path) -> None:
    first, second = (Place(root=tmp_path / name / "vm") for name in ("first", "second"))
    whole = {
        **{part: part.encode() for part in ("vmlinuz", "initrd", "disk.qcow2", "qemu/bin/qemu", "notes/learned.json")},
        "tcg/ram": bytes(3 << 20) + b"x",
    }
    for name, content in whole.items():
        path = first.guest / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    manifest = Manifest(suite="s", packages={}, images=("a:1",), memory_mib=64, snapshots={"tcg": 1, "kvm": 2})
    (first.guest / "manifest.json").write_text(json.dumps(manifest.to_json()))
    said: list[str] = []
    digest = bundle.bundle(first, tmp_path / "file", say=said.append)
    assert "packing disk.qcow2" in said
    taken = bundle.unpack(second, tmp_path / "file", expected=digest, say=said.append)
    assert taken == replace(manifest, snapshots={"tcg": 1})
    assert {name: (second.guest / name).read_bytes() for name in whole} == whole


@pytest.mark.parametrize("name", ["keeper", "guest_shares", "machine", "monitor", "ports", "proxy"])
def test_the_keeper_starts_without_the_rest_of_the_course(name: str) -> None:
    own = {f"course.engine.vm.{one}" for one in ("guest_shares", "machine", "monitor", "ports", "proxy")}
    for imported in imports(Path(kernel.__file__).with_name(f"{name}.py")):
        known = imported.split(".")[0] in sys.stdlib_module_names
        assert known or any(imported.startswith(one) for one in own), imported


def test_guest_scripts_are_valid_shell() -> None:
    folder = Path(kernel.__file__).parent / "guest"
    for name in ("init", "rc", "rc.down", "containerd", "engine", "agent"):
        subprocess.run(["sh", "-n", folder / name], check=True)
