"""The guest's files: a small Linux with Docker's engine, put together from unpacked Debian packages.

Enters: the tree of unpacked packages. Leaves: QEMU with its libraries, the kernel, its initial RAM disk, and the disk.
Runs programs of those packages; may import `course.errors` and its neighbours.

Programs of the packages run with the packages' own dynamic linker and libraries, whatever system this is.
"""

import json
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from course.engine.vm.kernel import cpio, modules
from course.errors import CourseError

PACKAGES: Final = (
    *("qemu-system-x86", "qemu-utils", "e2fsprogs"),
    *("linux-image-amd64", "busybox-static", "docker.io", "containerd", "crun", "tini", "iptables"),
    *("ca-certificates", "netbase"),
)
_INODES: Final = 600_000
_LIBRARIES: Final = "usr/lib/x86_64-linux-gnu"
_LINKER: Final = "ld-linux-x86-64.so.2"
_FIRMWARE: Final = ("qemu/linuxboot_dma.bin", "qemu/kvmvapic.bin", "seabios/bios-256k.bin")
_PROGRAMS: Final = ("usr/sbin/dockerd", "usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/crun")
_TABLES: Final = (
    *("xt_conntrack", "xt_standard", "xt_addrtype", "xt_tcp", "xt_udp", "xt_comment", "xt_mark", "xt_multiport"),
    *("xt_MASQUERADE", "xt_NAT", "xt_DNAT", "xt_SNAT", "xt_REDIRECT", "ipt_REJECT", "ipt_icmp", "xt_state"),
)
_FIRST_MODULES: Final = ("virtio_blk", "crc32c_generic", "ext4")
_MODULES: Final = (
    *("virtio_net", "virtio_rng", "9p", "9pnet_virtio", "overlay", "bridge", "br_netfilter", "veth", "macvlan"),
    *("ip_tables", "iptable_nat", "iptable_filter", "iptable_mangle", "iptable_raw", "nf_conntrack_netlink"),
    *("xt_conntrack", "xt_MASQUERADE", "xt_addrtype", "xt_nat", "xt_tcpudp", "xt_comment", "xt_mark"),
    *("xt_multiport", "xt_REDIRECT", "ipt_REJECT", "ipvlan", "vxlan"),
    "zram",
    *("loop", "nf_tables", "nft_compat", "nft_chain_nat"),  # for an engine in a container
)
_OWN: Final = Path(__file__).parent / "guest"


def make_qemu(packages: Path, folder: Path) -> None:
    """QEMU, what it loads, and its firmware, in `folder`."""
    (folder / "lib").mkdir(parents=True)
    (folder / "share").mkdir()
    for name in ("qemu-system-x86_64", "qemu-img"):
        program = packages / "usr/bin" / name
        shutil.copy2(program, folder / name)
        for library in _loaded_by(packages, program):
            shutil.copy2(library, folder / "lib" / library.name)
    shutil.copy2(packages / _LIBRARIES / _LINKER, folder / "lib" / _LINKER)
    for firmware in _FIRMWARE:
        shutil.copy2(packages / "usr/share" / firmware, folder / "share")


def make_kernel(packages: Path, folder: Path) -> None:
    """`vmlinuz` and `initrd`, in `folder`."""
    (image,) = packages.glob("boot/vmlinuz-*")
    shutil.copy2(image, folder / "vmlinuz")
    root = folder / "initrd.d"
    for name in ("bin", "dev", "lib64", "new", "modules"):
        (root / name).mkdir(parents=True)
    _copy(packages / "usr/bin/busybox", root / "bin/busybox")
    for applet in ("sh", "cat", "chown", "insmod", "mount", "rm", "sleep", "switch_root", "["):
        (root / "bin" / applet).symlink_to("busybox")
    check = packages / "usr/sbin/e2fsck"
    _copy(check, root / "bin/e2fsck")
    _put_libraries(packages, (check,), root)
    _put_modules(packages, _FIRST_MODULES, root / "modules", root / "modules.order")
    _copy(_OWN / "init", root / "init")
    (folder / "initrd").write_bytes(cpio(root))
    shutil.rmtree(root)


def make_disk(
    packages: Path, folder: Path, *, size_bytes: int, certificates: bytes | None, settings: Mapping[str, Any]
) -> None:
    """`disk.qcow2`, with everything but images, in `folder`, sparse. `settings` join the engine's daemon.json."""
    root = folder / "root"
    for name in ("dev", "proc", "sys", "run", "root", "mnt", "home", "sbin", "lib64", "var/lib/docker", "var/log"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(0o1777)
    _put_programs(packages, root)
    order = root / "etc/modules.order"
    order.parent.mkdir()
    _put_modules(packages, _MODULES, root / "lib/modules", order)
    _put_configuration(packages, root, certificates, settings)
    raw = folder / "disk.raw"
    _format(packages, root, raw, size_bytes)
    convert = [*_with_linker(packages, packages / "usr/bin/qemu-img"), "convert", "-f", "raw", "-O", "qcow2"]
    _run([*convert, str(raw), str(folder / "disk.qcow2")])
    raw.unlink()
    shutil.rmtree(root)


def _put_programs(packages: Path, root: Path) -> None:
    for name in ("usr/bin", "usr/sbin", "bin", f"{_LIBRARIES}/xtables"):
        (root / name).mkdir(parents=True, exist_ok=True)
    _copy(packages / "usr/bin/busybox", root / "bin/busybox")
    listed = subprocess.run([root / "bin/busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    for applet in set(listed) - {"busybox"}:
        (root / "bin" / applet).symlink_to("busybox")
    (root / "sbin/init").symlink_to("../bin/busybox")
    _copy(packages / "usr/bin/tini-static", root / "usr/bin/docker-init")
    (root / "usr/bin/runc").symlink_to("crun")  # BuildKit looks for it by this name
    _copy(packages / "usr/sbin/xtables-legacy-multi", root / "usr/sbin/xtables-legacy-multi")
    for name in ("iptables", "iptables-save", "iptables-restore"):
        (root / "usr/sbin" / name).symlink_to("xtables-legacy-multi")
    tables = [f"{_LIBRARIES}/xtables/lib{name}.so" for name in _TABLES]
    for name in (*_PROGRAMS, *(table for table in tables if (packages / table).is_file())):
        _copy(packages / name, root / name)
    _put_libraries(packages, [packages / name for name in (*_PROGRAMS, "usr/sbin/xtables-legacy-multi")], root)
    (root / "var/run").symlink_to("../run")


def _put_libraries(packages: Path, programs: Sequence[Path], root: Path) -> None:
    """The dynamic linker, and what it loads for these programs."""
    for library in {path for program in programs for path in _loaded_by(packages, program)}:
        _copy(library, root / _LIBRARIES / library.name)
    (root / "lib64" / _LINKER).symlink_to(f"../{_LIBRARIES}/{_LINKER}")
    _copy(packages / _LIBRARIES / _LINKER, root / _LIBRARIES / _LINKER)


def _put_configuration(packages: Path, root: Path, certificates: bytes | None, settings: Mapping[str, Any]) -> None:
    etc = root / "etc"
    for name in ("docker", "ssl/certs"):
        (etc / name).mkdir(parents=True)
    for name in ("inittab", "rc", "rc.down", "containerd", "containerd.toml", "engine", "agent"):
        _copy(_OWN / name, etc / name)
    engine = {**json.loads((_OWN / "daemon.json").read_text(encoding="utf-8")), **settings}
    (etc / "docker/daemon.json").write_text(json.dumps(engine), encoding="utf-8")
    public = sorted((packages / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    trusted = certificates or b"".join(path.read_bytes() for path in public)
    (etc / "ssl/certs/ca-certificates.crt").write_bytes(trusted)
    for name in ("protocols", "services"):
        _copy(packages / "etc" / name, etc / name)
    small = {
        "passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "group": "root:x:0:\n",
        "hosts": "127.0.0.1 localhost\n10.0.2.15 engine\n",
        "hostname": "engine\n",
        "resolv.conf": "nameserver 10.0.2.3\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "os-release": 'NAME="Layer by Layer"\nID=layer-by-layer\nPRETTY_NAME="Layer by Layer VM engine (Debian)"\n',
        "fresh": "",
    }
    for name, content in small.items():
        (etc / name).write_text(content, encoding="utf-8")


def _put_modules(packages: Path, wanted: Sequence[str], folder: Path, order: Path) -> None:
    (tree,) = packages.glob("usr/lib/modules/*")
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for name, content in modules(tree, wanted):
        (folder / f"{name}.ko").write_bytes(content)
        names.append(f"{name}.ko")
    order.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def _format(packages: Path, root: Path, disk: Path, size_bytes: int) -> None:
    with disk.open("wb") as file:
        file.truncate(size_bytes)
    options = ["-q", "-t", "ext4", "-O", "^has_journal,^metadata_csum", "-m", "0", "-N", str(_INODES)]
    fresh = "lazy_itable_init=1,nodiscard,root_owner=0:0"
    program = packages / "usr/sbin/mke2fs"
    _run([*_with_linker(packages, program), *options, "-E", fresh, "-d", str(root), str(disk)])


def _loaded_by(packages: Path, program: Path) -> Iterator[Path]:
    """The libraries that the dynamic linker finds for `program`; none for a static one."""
    if b"/lib64/" + _LINKER.encode() not in program.read_bytes()[:8192]:
        return
    linker, *words = _with_linker(packages, program)
    listed = _run([linker, "--list", *words])
    for path in re.findall(r" => (/\S+) ", listed):
        yield Path(path)


def _with_linker(packages: Path, program: Path) -> list[str]:
    libraries = packages / _LIBRARIES
    return [str(libraries / _LINKER), "--library-path", str(libraries), str(program)]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    executable = (
        source.parent == _OWN and source.name not in ("inittab", "containerd.toml")
    ) or source.stat().st_mode & stat.S_IXUSR
    target.chmod(0o755 if executable else 0o644)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise CourseError(f"{Path(command[-1]).name}: {done.stderr.strip()[-300:]}", fix="is the disk full?")
    return done.stdout
