"""What the virtual machine is: QEMU's command line.

Enters: a guest's folder and how it is wanted. Leaves: a command. Pure; may import nothing
here, since the keeper uses it.

A snapshot can be restored only by the same QEMU with the same devices, so that all forms of the machine have the same
ones: two shares, be they empty, and one network card, be it cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LINKER: Final = "lib/ld-linux-x86-64.so.2"
SHARES: Final = 2
API: Final = "10.0.2.15:2375"
"""Where the guest's engine listens, in the network between it and QEMU."""
KVM: Final = "kvm"
TCG: Final = "tcg"
PROCESSORS: Final = {TCG: 1, KVM: 2}
"""Emulated processors wait for each other more than they help."""
_KERNEL: Final = (
    "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off nokaslr audit=0 apparmor=0 selinux=0 init_on_alloc=0 "
    "random.trust_cpu=on rcupdate.rcu_expedited=1 no_timer_check transparent_hugepage=never nowatchdog "
    "cgroup_no_v1=all"
)
_EMULATED: Final = "SandyBridge"
"""The oldest processor that MongoDB runs on, which needs AVX (its production notes, "x86_64")."""
_PROCESSOR: Final = {TCG: ("tcg,thread=multi,tb-size=256", _EMULATED, "tsc=reliable"), KVM: ("kvm", "host", "")}


@dataclass(frozen=True, kw_only=True)
class Drive:
    """The disk: `discarded` is whether what the guest writes is gone with it."""

    file: Path
    discarded: bool


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The guest's memory as a file. Only one machine may write to it; others begin with its content."""

    file: Path
    written: bool


@dataclass(frozen=True, kw_only=True)
class Form:
    """One way to run the guest in `guest`, with its sockets in `run`; the numbers are of open files."""

    guest: Path
    run: Path
    accelerator: str
    memory_mib: int
    processors: int
    drive: Drive
    memory: Memory | None = None
    restores: bool = False
    shares: Sequence[Path] = ()
    cut_off: bool = False
    monitor: int
    agent: int


def qemu_program(guest: Path, name: str = "qemu-system-x86_64") -> list[str]:
    """How to run a program of the guest's own QEMU: with its own dynamic linker and libraries."""
    folder = guest / "qemu"
    return [str(folder / LINKER), "--library-path", str(folder / "lib"), str(folder / name)]


def qemu_command(form: Form) -> list[str]:
    """The command that runs a machine of this form."""
    accelerator, processor, kernel = _PROCESSOR[form.accelerator]
    machine = "q35,usb=off,vmport=off,smbus=off,sata=off,hpet=off,memory-backend=ram"
    return [
        *qemu_program(form.guest),
        *("-L", str(form.guest / "qemu/share"), "-name", "layer-by-layer", "-nodefaults", "-no-user-config"),
        *("-display", "none", "-no-reboot"),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *("-machine", machine, "-accel", accelerator, "-cpu", processor),
        *("-smp", str(form.processors), "-m", f"{form.memory_mib}M", *_memory(form)),
        *("-kernel", str(form.guest / "vmlinuz"), "-initrd", str(form.guest / "initrd")),
        *("-append", f"{_KERNEL} {kernel}"),
        *_drive(form.drive),
        *_network(form),
        *("-device", "virtio-rng-pci", "-device", "vmgenid,guid=auto", "-rtc", "base=utc,clock=host"),
        *("-chardev", f"socket,id=agent,fd={form.agent}"),
        *("-device", "virtio-serial-pci", "-device", "virtserialport,chardev=agent,name=agent"),
        *_shares(form),
        *("-chardev", f"file,id=console,path={_quoted(form.run / 'console.log')}", "-serial", "chardev:console"),
        *("-chardev", f"socket,id=monitor,fd={form.monitor}", "-object", "monitor-qmp,id=qmp,chardev=monitor"),
        *(("-incoming", "defer") if form.restores else ()),
    ]


def _memory(form: Form) -> list[str]:
    if form.memory is None:
        return ["-object", f"memory-backend-ram,id=ram,size={form.memory_mib}M"]
    access = "share=on" if form.memory.written else "share=off,readonly=on,rom=off"
    backend = f"memory-backend-file,id=ram,size={form.memory_mib}M,mem-path={_quoted(form.memory.file)}"
    return ["-object", f"{backend},{access}"]


def _drive(drive: Drive) -> list[str]:
    """What cannot be written here, for want of space or quota, is no fault of the guest's disk: the machine stops."""
    discarded = ",snapshot=on" if drive.discarded else ""
    options = (
        f"if=none,id=disk,file={_quoted(drive.file)},format=qcow2,cache=unsafe,discard=unmap,werror=stop{discarded}"
    )
    return ["-drive", options, "-device", "virtio-blk-pci,drive=disk"]


def _network(form: Form) -> list[str]:
    """The API at a socket for this user alone; published ports come and go while the machine runs."""
    api = f"hostfwd=unix:{_quoted(form.run / 'engine.sock')}-{API}"
    cut_off = ",restrict=on" if form.cut_off else ""
    return ["-netdev", f"user,id=net,net=10.0.2.0/24,{api}{cut_off}", "-device", "virtio-net-pci,netdev=net,romfile="]


def _shares(form: Form) -> list[str]:
    words: list[str] = []
    for number in range(SHARES):
        real = number < len(form.shares)
        path = form.shares[number] if real else form.run / "nothing"
        options = "security_model=none,multidevs=remap" + ("" if real else ",readonly=on")
        words += ["-fsdev", f"local,id=share{number},path={_quoted(path)},{options}"]
        words += ["-device", f"virtio-9p-pci,fsdev=share{number},mount_tag=share{number}"]
    return words


def _quoted(path: Path) -> str:
    """In QEMU's options a comma is doubled."""
    return str(path).replace(",", ",,")
