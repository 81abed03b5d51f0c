"""The one exception that means: the input was wrong, and here is what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class LensyError(ValueError):
    """Bad input. The message is one sentence or two: what, where, what is allowed, what next.

    The command line prints it without a traceback and exits with code 2.
    """


@contextmanager
def exit_code_two() -> Iterator[None]:
    """For commands: a LensyError becomes one line on standard error and exit code 2."""
    try:
        yield
    except LensyError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
