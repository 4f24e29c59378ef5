"""PostgreSQL refuses to be root, and to be a user whom the machine does not know by name."""

import os
import pwd
import shutil
from pathlib import Path

NOBODY = "nobody"

# As root in a directory that others may not enter, the unprivileged server keeps one capability: to
# walk through it. access(2), which PostgreSQL asks, honours that only under this secure bit.
WALK_THROUGH = [
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--securebits=+no_setuid_fixup",
]


class CannotBecome(Exception):
    """No way to run as somebody whom PostgreSQL accepts; the message says what to do."""


def owner_of(directory: Path) -> pwd.struct_passwd:
    """Whom root runs the server as: the owner of its data, `nobody` for new data or root's own."""
    uid = directory.stat().st_uid if directory.exists() else 0
    try:
        return pwd.getpwuid(uid) if uid else pwd.getpwnam(NOBODY)
    except KeyError:
        return pwd.getpwnam(NOBODY)


def prefix(directory: Path, program: Path) -> list[str]:
    """What to put before the command line of a server with its data in `directory`.

    Raises CannotBecome.
    """
    if os.geteuid() == 0:
        return _step_down(owner_of(directory), [directory, program])
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return _borrow_a_name()
    return []


def give(directory: Path) -> None:
    """Let the server own its directory, as it insists; only root can and must."""
    if os.geteuid():
        return
    who = owner_of(directory)
    for place, _, files in os.walk(directory):
        for path in [place, *(os.path.join(place, name) for name in files)]:
            if os.lstat(path).st_uid != who.pw_uid:
                os.chown(path, who.pw_uid, who.pw_gid, follow_symlinks=False)


def _step_down(who: pwd.struct_passwd, paths: list[Path]) -> list[str]:
    setpriv = shutil.which("setpriv")
    if not setpriv:
        raise CannotBecome(
            "PostgreSQL refuses to run as root, and `setpriv` (util-linux), which would run it as "
            f"{who.pw_name}, is not here. Run as a normal user, or set DATABASE_URL."
        )
    become = [setpriv, f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]
    reachable = all(_may_enter(parent, who) for path in paths for parent in path.parents)
    return become if reachable else become + WALK_THROUGH


def _may_enter(directory: Path, who: pwd.struct_passwd) -> bool:
    status = directory.stat()
    if status.st_uid == who.pw_uid:
        return bool(status.st_mode & 0o100)
    return bool(status.st_mode & (0o010 if status.st_gid == who.pw_gid else 0o001))


def _borrow_a_name() -> list[str]:
    """In a user namespace without a map, every unknown user is the kernel's `nobody`."""
    unshare = shutil.which("unshare")
    if not unshare:
        raise CannotBecome(
            f"PostgreSQL wants to know its user by name, and user {os.geteuid()} has no entry in "
            "/etc/passwd. Run as a user who has one, or set DATABASE_URL."
        )
    return [unshare, "--user"]
