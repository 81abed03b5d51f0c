"""Networks on real images: files in, candidates out, as a table, a figure or a page to grade them.

Cutouts read files, a search goes through them with a network, a finder knows which search fits.
"""

from lensy.lazy import lazy_names

_MODULES = {
    "cutouts": "Cutout read_cutout",
    "finder": "Finder find fits_files",
    "result": "Candidate Finding Findings",
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _MODULES)
