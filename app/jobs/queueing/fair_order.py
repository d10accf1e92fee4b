"""In which order units of work are taken: owners take turns, and so do the jobs of an owner.

Stride scheduling (C. A. Waldspurger and W. E. Weihl, 1995) on two levels. Each owner has a virtual time that goes on by
one turn with each unit, and whose is least gives the next one; inside an owner the same holds for its jobs. The present
goes on by a turn when each who has work had one: who comes anew begins there, and so waits for about one unit of each
of the others; who comes again has not forgotten what it got, or a client that sends one file after the other would get
nearly all. What an owner has of one priority takes turns by itself, of a quarter of a turn where it is high, and of
four where it is low, which begins three later: so it gets four times as much, or a fourth, and nothing starves. One put
or take costs microseconds at 100 000 units.
"""

import heapq
import itertools
from collections import deque
from typing import Generic, Protocol, TypeVar

from persistence.job import Priority
from persistence.queue import STEPS, Ahead, Unit

TURN = 1 << 20
"""A turn in the virtual time, which is whole numbers: parts of it are turns shared by up to so many."""
FINEST = STEPS["low"] // STEPS["normal"]
"""Turns after which even what is low gets a unit."""


class _Member(Protocol):
    @property
    def units(self) -> int: ...


M = TypeVar("M", bound=_Member)


class _Turns(Generic[M]):
    """Members that take turns, by name; only those with units."""

    def __init__(self) -> None:
        self.members: dict[str, M] = {}
        self._times: dict[str, tuple[int, int]] = {}
        """Virtual time of the next unit of each, and its number, which decides between equals: first come."""
        self._heap: list[tuple[int, int, str]] = []
        """What is nobody's now is skipped: to remove is only to forget."""
        self._resting: dict[str, int] = {}
        """The times of those that have no units now, as far as they are ahead of the present."""
        self._steps: dict[str, int] = {}
        """How far a unit takes each."""
        self._pace = 0
        """How many units all get together while the virtual time goes on by FINEST turns."""
        self._now = 0
        self._numbers = itertools.count()

    @property
    def resting(self) -> int:
        """Members without units whose times are remembered."""
        return len(self._resting)

    def join(self, name: str, member: M, step: int = TURN) -> None:
        # the present is an average: who comes anew is no later than just before the second unit of whose turn it is
        begin = min(self._now, self._first() + TURN - 1) if self.members else self._now
        at = max(self._resting.pop(name, 0), begin + max(0, step - TURN))
        self.members[name] = member
        self._steps[name] = step
        self._pace += FINEST * TURN // step
        self._push(name, at, next(self._numbers))

    def take(self) -> tuple[str, M]:
        """Whose turn it is. There has to be somebody; `done` has to be called when the unit was taken from it."""
        self._first()
        name = heapq.heappop(self._heap)[2]
        return name, self.members[name]

    def done(self, name: str) -> None:
        """It had its turn."""
        (at, number), step = self._times[name], self._steps[name]
        self._now = max(self._now + FINEST * TURN // self._pace, min(at, self._now + step))
        if self.members[name].units:
            self._push(name, at + step, number)
        else:
            self.leave(name, at + step)

    def leave(self, name: str, at: int | None = None) -> None:
        """It has no units any more; `at`: its time then, where that is not its next unit's."""
        rest = self._times.pop(name)[0] if at is None else at
        self._times.pop(name, None)
        del self.members[name]
        self._pace -= FINEST * TURN // self._steps.pop(name)
        if not self.members:
            self._resting.clear()  # nobody is left who could have come off badly
            return
        self._resting[name] = rest
        if len(self._resting) > 2 * len(self.members) + 100:
            self._resting = {each: time for each, time in self._resting.items() if time > self._now}

    def before(self, name: str, index: int) -> int:
        """Units of the others that are taken before that unit of the member, its next one being 0."""
        at, mine = self._times[name]
        moment, units = at + index * self._steps[name], 0
        for other, member in self.members.items():
            if other != name:
                its, number = self._times[other]
                turns, part = divmod(moment - its, self._steps[other])
                if moment >= its:
                    units += min(member.units, turns + (part > 0 or number < mine))
        return units

    def _first(self) -> int:
        """The virtual time of whose turn it is; there has to be somebody."""
        while True:
            at, number, name = self._heap[0]
            if self._times.get(name) == (at, number):
                return at
            heapq.heappop(self._heap)

    def _push(self, name: str, at: int, number: int) -> None:
        self._times[name] = (at, number)
        heapq.heappush(self._heap, (at, number, name))


class _Job:
    """The units of one job that wait."""

    def __init__(self) -> None:
        self.pages: dict[int, None] = {}
        self.order: deque[int] = deque()

    @property
    def units(self) -> int:
        return len(self.pages)


class _Owner:
    """The jobs of one owner that have one priority, in turns."""

    def __init__(self, name: str, priority: Priority) -> None:
        self.name = name
        self.priority = priority
        self.units = 0
        self.jobs = _Turns[_Job]()


class FairOrder:
    """The units that wait."""

    def __init__(self) -> None:
        self._owners = _Turns[_Owner]()
        self._owner_of: dict[str, str] = {}
        self._units = 0

    def __len__(self) -> int:
        return self._units

    @property
    def remembered(self) -> int:
        """Owners without units that are not forgotten yet: what they got lately counts when they come again."""
        return self._owners.resting

    def __contains__(self, unit: Unit) -> bool:
        owner = self._owner_of.get(unit.job_id)
        return owner is not None and unit.page in self._owners.members[owner].jobs.members[unit.job_id].pages

    def put(self, unit: Unit) -> None:
        """Adds a unit that is not in yet, behind the other ones of its job."""
        name = self._owner_of.setdefault(unit.job_id, f"{unit.priority}/{unit.owner}")
        owner = self._owners.members.get(name)
        if owner is None:
            owner = _Owner(unit.owner, unit.priority)
            self._owners.join(name, owner, TURN * STEPS[unit.priority] // STEPS["normal"])
        job = owner.jobs.members.get(unit.job_id)
        if job is None:
            job = _Job()
            owner.jobs.join(unit.job_id, job)
        job.pages[unit.page] = None
        job.order.append(unit.page)
        owner.units += 1
        self._units += 1

    def take(self) -> Unit | None:
        """The unit whose turn it is; None where nothing waits."""
        if not self._units:
            return None
        name, owner = self._owners.take()
        job_id, job = owner.jobs.take()
        page = job.order.popleft()
        del job.pages[page]
        owner.units -= 1
        self._units -= 1
        if not job.units:
            del self._owner_of[job_id]
        owner.jobs.done(job_id)
        self._owners.done(name)
        return Unit(job_id, page, owner.name, owner.priority)

    def discard(self, job_id: str) -> None:
        """No unit of the job waits any more."""
        name = self._owner_of.pop(job_id, None)
        if name is None:
            return
        owner = self._owners.members[name]
        units = owner.jobs.members[job_id].units
        owner.units -= units
        self._units -= units
        owner.jobs.leave(job_id)
        if not owner.units:
            self._owners.leave(name)

    def ahead(self, job_id: str) -> Ahead | None:
        """How many units are taken before the job's next one, and before its last one; None where none waits.

        As things stand: who comes in later may be served before.
        """
        name = self._owner_of.get(job_id)
        if name is None:
            return None
        waiting = self._owners.members[name].jobs.members[job_id].units
        return Ahead(first=self._before(name, job_id, 0), last=self._before(name, job_id, waiting - 1))

    def _before(self, name: str, job_id: str, index: int) -> int:
        own = index + self._owners.members[name].jobs.before(job_id, index)
        return own + self._owners.before(name, own)
