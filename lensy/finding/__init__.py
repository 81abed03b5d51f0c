"""Networks on real images: files in, candidates out, as a table, a figure or a page to grade them.

Cutouts read files, a search goes through them with a network, a finder knows which search fits.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "cutouts": "Cutout read_cutout",
    "finder": "Finder find fits_files",
    "result": "Candidate Finding Findings",
}

_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """A public name, whose module is loaded when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
