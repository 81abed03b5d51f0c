"""Names of a package that load their module when they are first asked for.

`import lensy` and `lensy --help` must answer at once, and torch or matplotlib take seconds.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, modules: dict[str, str]
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """`__all__`, `__getattr__` and `__dir__` of a package whose names stand in its modules.

    modules: from each module to the names it gives, parted by blanks. AttributeError for others.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return list(homes), load, lambda: sorted(homes)
