"""Arrays and finished runs in, matplotlib figures out; single panels are drawn into `ax` if given.

Style is what all figures share, images are pictures of the sky, objects their masks and boxes,
curves and selection numbers, and examples are those of a data set.
"""

from lensy.lazy import lazy_names

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

__all__, __getattr__, __dir__ = lazy_names(__name__, _MODULES)
