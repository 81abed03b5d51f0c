"""What a chapter costs: its time, and the memory of its kernel with all that it starts.

psutil looks at the processes below this one a few times a second, at those that have come since the
measuring began. A peak between two looks is missed; memory that processes share counts once for
each, so the number is rather too large.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil

INTERVAL = 0.3
"""Seconds between two looks."""


@dataclass(frozen=True)
class Cost:
    """seconds: on the wall. megabytes: largest memory seen at once. kept: nothing was executed."""

    seconds: float
    megabytes: float
    kept: bool = False


class Meter:
    """Measures what happens in a `with` block."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self._peak = 0.0
        self._earlier: set[psutil.Process] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._started = self._ended = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        self._earlier = set(psutil.Process().children(recursive=True))
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._ended = time.monotonic()
        self._done.set()
        self._thread.join()

    @property
    def cost(self) -> Cost:
        """What has been measured, once the block is over."""
        return Cost(self._ended - self._started, self._peak)

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._done.wait(INTERVAL):
            new = set(me.children(recursive=True)) - self._earlier
            self._peak = max(self._peak, sum(map(_megabytes, new)))


def _megabytes(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 1e6
    except psutil.Error:  # it has ended since it was listed
        return 0.0
