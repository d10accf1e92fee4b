"""What happens to a cluster at random: nodes killed, frozen, stopped, cut off; PostgreSQL restarted, crashed, away."""

import heapq
import itertools
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tests.chaos.node import Blow, Node
from tests.postgres import OwnServer
from tests.proxy import Proxy

FAULTS = {
    "kill a node": 5,
    "freeze a node": 3,
    "stop a node": 3,
    "cut a node off": 3,
    "half-open connections": 2,
    "restart PostgreSQL": 1,
    "crash PostgreSQL": 1,
    "PostgreSQL is away": 1,
}
"""And how often, relative to each other."""
SECONDS_BETWEEN = 2.5
"""Between two faults, on average: most last longer, so that they come together."""


class ClusterMonkey:
    """Seeded. What it did to whom, it undoes some seconds later; at its end all is whole again."""

    def __init__(
        self,
        seed: int,
        nodes: Mapping[str, Node],
        proxies: Mapping[str, Proxy],
        database: OwnServer,
        longest: float,
    ) -> None:
        """`longest`: seconds that a fault lasts at most."""
        self._rng = random.Random(seed)
        self._nodes = nodes
        self._proxies = proxies
        self._database = database
        self._longest = longest
        self._ordinal = itertools.count()
        self._undo: list[tuple[float, int, Callable[[], None]]] = []
        self._struck: set[str] = set()
        """Nodes that are down or frozen, and `database`: nothing else is done to them meanwhile."""
        self.done: Counter[str] = Counter()
        self.blows: list[Blow] = []
        self.faults: list[str] = []
        """What must not follow a fault."""

    def rage(self, until: float) -> None:
        """Strikes until then (monotonic), and makes everything whole."""
        strike_at = time.monotonic()
        while strike_at < until:
            strike_at += self._rng.expovariate(1 / SECONDS_BETWEEN)
            self._pass_time(min(strike_at, until))
            self._look_after_the_dead()
            if strike_at < until:
                self._strike()
        while self._undo:
            heapq.heappop(self._undo)[2]()

    def _pass_time(self, until: float) -> None:
        while self._undo and self._undo[0][0] <= until:
            due, _, undo = heapq.heappop(self._undo)
            time.sleep(max(0.0, due - time.monotonic()))
            undo()
        time.sleep(max(0.0, until - time.monotonic()))

    def _look_after_the_dead(self) -> None:
        for name, node in self._nodes.items():
            # 3: it was to start while the database was away, or out of reach
            if name not in self._struck and (code := node.revive()) not in (None, 3):
                self.faults.append(f"{name} ended by itself with {code}")

    def _strike(self) -> None:
        fault = self._rng.choices(list(FAULTS), weights=list(FAULTS.values()))[0]
        if fault.endswith("node") or fault == "cut a node off" or fault == "half-open connections":
            self._strike_node(fault, self._rng.choice([*self._nodes]))
        elif "database" not in self._struck:
            self._strike_database(fault)

    def _strike_node(self, fault: str, name: str) -> None:
        if name in self._struck:
            return
        node, proxy = self._nodes[name], self._proxies[name]
        self.done[fault] += 1
        if fault != "stop a node":
            self.blows.append(Blow(fault, node.server, datetime.now(UTC)))
        match fault:
            case "kill a node":
                node.server.process.kill()
                node.bury()
                self._later(name, node.start)
            case "freeze a node":
                os.kill(node.server.process.pid, signal.SIGSTOP)
                self._later(name, lambda: os.kill(node.server.process.pid, signal.SIGCONT))
            case "stop a node":
                node.server.process.send_signal(signal.SIGTERM)
                self._later(name, lambda: self._after_stop(node))
            case "cut a node off":
                proxy.part()
                self._later(name, proxy.heal)
            case "half-open connections":
                proxy.forget()

    def _after_stop(self, node: Node) -> None:
        # killed by TERM itself: it came before the program could ask for it; 3: it could not start anyhow
        try:
            code = node.bury()
        except subprocess.TimeoutExpired:
            self.faults.append(f"{node.name} was stopped and did not end; its log: {node.server.log[-3:]}")
            node.server.process.kill()
            node.bury()
            code = 0
        if code not in (0, 3, -signal.SIGTERM):
            self.faults.append(f"{node.name} was stopped and ended with {code}")
        node.start()

    def _strike_database(self, fault: str) -> None:
        self.done[fault] += 1
        match fault:
            case "restart PostgreSQL":
                self._database.control("restart", "-m", "fast")
            case "crash PostgreSQL":
                self._database.control("restart", "-m", "immediate")
            case "PostgreSQL is away":
                self._database.control("stop", "-m", self._rng.choice(["fast", "immediate"]))
                self._later("database", lambda: self._database.control("restart"))

    def _later(self, struck: str, undo: Callable[[], None]) -> None:
        self._struck.add(struck)

        def whole_again() -> None:
            undo()
            self._struck.discard(struck)

        due = time.monotonic() + self._rng.uniform(0, self._longest)
        heapq.heappush(self._undo, (due, next(self._ordinal), whole_again))
