"""Arrays and finished runs in, matplotlib figures out; single panels are drawn into `ax` if given.

Style is what all figures share, images are pictures of the sky, objects their masks and boxes,
curves and selection numbers, and examples are those of a data set.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "curves": (
        "roc history draw_roc draw_history draw_intervals draw_painting_quality draw_progress"
    ),
    "selection": "draw_purity draw_reliability draw_selection",
    "images": (
        "View image reconstruction draw_candidate draw_contact_sheet draw_gallery draw_layers "
        "draw_views"
    ),
    "objects": "Outlined colour_masks draw_object_rows draw_objects",
    "examples": "close_up colour_composite whole_frame",
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
