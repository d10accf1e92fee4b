"""What happens to a service at random: worker and service killed, stopped, hung, at any point of a job's way."""

import contextlib
import os
import random
import signal

import psutil

from tests.e2e.conftest import Server

FAULTS = {
    "kill a worker": 4,
    "hang a worker": 1,
    "kill the service": 3,
    "kill everything": 2,
    "stop the service": 2,
    "stop the service twice": 1,
}
"""And how often, relative to each other."""
LINES_BETWEEN = 40
"""Lines of the log between two faults, on average: at DEBUG every step of a job is one, so any two may be parted."""
END_OF_CHILDREN = 10.0
"""Seconds after which a child that outlives its parent is an orphan."""


class Monkey:
    """Seeded. Strikes one server after the other and counts what it did."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.done: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self.faults: list[str] = []
        """What must not follow a fault."""

    def disturbs_start(self) -> bool:
        """Now and then it does not wait until the service is there."""
        return self._rng.random() < 0.15

    def lines(self) -> int:
        """How many more lines of the log it waits for."""
        return int(self._rng.expovariate(1 / LINES_BETWEEN))

    def strike(self, server: Server) -> bool:
        """Does something terrible; True where the service is gone afterwards."""
        fault = self._rng.choices(list(FAULTS), weights=list(FAULTS.values()))[0]
        workers = _workers(server)
        if "worker" in fault and not workers:
            fault = "kill the service"  # it is still starting
        self.done[fault] += 1
        match fault:
            case "kill a worker":
                _signal(self._rng.choice(workers), signal.SIGKILL)
            case "hang a worker":
                _signal(self._rng.choice(workers), signal.SIGSTOP)
            case "stop the service" | "stop the service twice":
                server.process.send_signal(signal.SIGTERM)
                if fault.endswith("twice"):
                    server.process.send_signal(signal.SIGTERM)
            case "kill the service":
                server.process.send_signal(signal.SIGKILL)
            case "kill everything":
                for pid in (*workers, server.process.pid):
                    _signal(pid, signal.SIGKILL)
        if "worker" in fault:
            return False
        self._bury(server, workers, fault)
        return True

    def _bury(self, server: Server, workers: list[int], fault: str) -> None:
        code = server.process.wait(60)
        # killed by TERM itself: it came before the program could ask for it
        if fault.startswith("stop") and code not in (0, -signal.SIGTERM):
            self.faults.append(f"{fault}: exit code {code}")
        for pid in workers:
            if psutil.pid_exists(pid):
                self._expect_end(pid)
        server.reader.join()

    def _expect_end(self, pid: int) -> None:
        try:
            worker = psutil.Process(pid)
            # a stopped process cannot see that its parent is gone
            worker.send_signal(signal.SIGCONT)
            worker.wait(END_OF_CHILDREN)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            self.faults.append(f"worker {pid} outlived its parent")


def _workers(server: Server) -> list[int]:
    """The living OCR processes; none where the service itself is gone."""
    pids = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(server.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # dead, or a zombie that is about to be reaped
                if "spawn_main" in str(child.cmdline()):
                    pids.append(child.pid)
    return pids


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
