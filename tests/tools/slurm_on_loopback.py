"""A Slurm cluster of one machine, on loopback, in a temporary folder: munged, slurmctld and slurmd, ended with the block.

A process beside ends them, and the steps of jobs, when the block ends or the process around it, even where that is killed.

    with SlurmOnLoopback() as environment:
        subprocess.run(["srun", "hostname"], env={**os.environ, **environment})

It needs root (slurmd starts jobs as their users) and Debian's packages munge and slurm-wlm. By hand, until Ctrl-C:

    python tests/tools/slurm_on_loopback.py     prints what to export
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "squeue", "scancel")
DAEMONS = ("munged", "slurmctld", "slurmd", "slurmstepd")
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
START_S = 120.0

CONF = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={daemon_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
KillWait=5
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=32000 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def lacking() -> str | None:
    """Why there can be no such cluster here; None where there can."""
    found = {name: shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}") for name in PROGRAMS}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        return f"needs {', '.join(missing)} (apt-get install munge slurm-wlm)"
    return None if os.geteuid() == 0 else "needs root"


class SlurmOnLoopback:
    """Context manager; gives the variables that Slurm's programs need to find it.

    Args:
        cpus: that the one machine pretends to have.
    """

    def __init__(self, cpus: int = 4) -> None:
        self.cpus = cpus
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.processes: list[subprocess.Popen[bytes]] = []
        self.ending: subprocess.Popen[bytes] | None = None
        self.environment = {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}",
        }

    def __enter__(self) -> dict[str, str]:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self.environment

    def __exit__(self, *_: object) -> None:
        assert self.ending is not None and self.ending.stdin is not None
        self.ending.stdin.close()
        self.ending.wait()
        for process in self.processes:
            process.wait()

    def _start(self) -> None:
        folder = self.folder
        # In a session of its own, which Ctrl-C does not reach; its input ends with this process.
        self.ending = subprocess.Popen(
            [sys.executable, __file__, "--end", str(folder)], stdin=subprocess.PIPE, start_new_session=True
        )
        folder.chmod(0o755)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "key").write_bytes(secrets.token_bytes(128))
        (folder / "key").chmod(0o600)
        ports = _free_ports(2)
        values = {"host": socket.gethostname().split(".")[0], "folder": folder, "cpus": self.cpus}
        conf = CONF.format(**values, controller_port=ports[0], daemon_port=ports[1])
        (folder / "slurm.conf").write_text(conf, encoding="utf-8")
        options = {
            "key-file": "key",
            "socket": "munge.socket",
            "pid-file": "munge.pid",
            "log-file": "munge.log",
            "seed-file": "seed",
        }
        self._run("munged", "--foreground", "--force", *(f"--{name}={folder / file}" for name, file in options.items()))
        _wait(lambda: (folder / "munge.socket").exists(), "munged", folder / "munge.log")
        self._run("slurmctld", "-D")
        self._run("slurmd", "-D")
        _wait(self._ready, "slurmctld", folder / "slurmctld.log")

    def _run(self, name: str, *arguments: str) -> None:
        program = shutil.which(name, path=self.environment["PATH"])
        assert program is not None
        with (self.folder / f"{name}.out").open("wb") as said:
            self.processes.append(
                subprocess.Popen(
                    [program, *arguments], env={**os.environ, **self.environment}, stdout=said, stderr=subprocess.STDOUT
                )
            )

    def _ready(self) -> bool:
        done = subprocess.run(
            ["sinfo", "-h", "-o", "%T"],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout.strip() == "idle"


def _wait(ready: object, name: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not ready():  # type: ignore[operator]
        if time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-2000:] if log.exists() else "it wrote no log"
            raise RuntimeError(f"{name} did not come up within {START_S:.0f} s: {said}")
        time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def processes_of(folder: Path) -> set[int]:
    """The daemons of the cluster in this folder, and the steps of its jobs with all that they have started."""
    found: set[int] = set()
    children: dict[int, set[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, set()).add(int(place.name))
            program = (place / "cmdline").read_bytes().split(b"\0")[0].split(b":")[0].rpartition(b"/")[2].decode()
            if program in DAEMONS and os.fsencode(folder) in (place / "environ").read_bytes():
                found.add(int(place.name))
    level = found
    while level:
        level = set().union(*(children.get(pid, set()) for pid in level)) - found
        found |= level
    return found


def _end(folder: Path) -> None:
    """Ends the cluster in this folder, whose daemons start steps for as long as they live."""
    deadline = time.monotonic() + START_S
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--end"]:
        sys.stdin.read()
        _end(Path(sys.argv[2]))
        sys.exit()
    with SlurmOnLoopback() as made:
        print(f"export SLURM_CONF={made['SLURM_CONF']}", flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
