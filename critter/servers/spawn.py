"""Starts child processes that cannot outlive this one, as another user where root must not serve; `critter up` uses
it."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from critter.servers.account import SystemUser

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAPABILITY_VERSION_3 = 0x20080522

# Loaded before any fork: the child must not import or allocate more than necessary.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str | Path],
    *,
    account: SystemUser | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    output: IO[bytes] | int | None = None,
) -> subprocess.Popen[bytes]:
    """A child in a session of its own (Ctrl-C reaches only the supervisor), which ends it in order.

    The kernel sends it death_signal when the *thread* that called this ends (prctl(2)): call it from the main thread.
    """
    return subprocess.Popen(
        [os.fspath(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        cwd=folder,
        env=environ,
        start_new_session=True,
        preexec_fn=preparation(os.getpid(), account, death_signal),
    )


def preparation(
    parent: int, account: SystemUser | None = None, death_signal: signal.Signals = signal.SIGKILL
) -> Callable[[], None]:
    """What a child does before it starts its program (preexec_fn)."""

    def prepare() -> None:
        if account is not None and os.geteuid() == 0:
            _become(account)
        die_with_parent(parent, death_signal)

    return prepare


def die_with_parent(parent: int, death_signal: signal.Signals) -> None:
    """Asks the kernel for a signal when the parent ends. It is set last, because a change of user clears it."""
    if _LIBC is not None:
        _prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it ended before we asked
            os.kill(os.getpid(), death_signal)


def _become(account: SystemUser) -> None:
    if account.capability is not None:
        # Keeps root's permissions over the change of user, and lets access(2), which initdb asks, count them too.
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([account.gid])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if account.capability is not None:
        _keep(account.capability)


def _keep(capability: int) -> None:
    """Keeps one capability over the exec as an ambient one (capabilities(7)), and drops every other."""
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; then the upper halves
    assert _LIBC is not None
    if _LIBC.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, value: int, more: int = 0) -> None:
    assert _LIBC is not None
    if _LIBC.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(more), ctypes.c_ulong(0), ctypes.c_ulong(0)):
        raise OSError(ctypes.get_errno(), "prctl")
