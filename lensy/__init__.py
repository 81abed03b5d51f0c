"""Simulate strong gravitational lenses as Euclid sees them, and learn to find them."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("lensy")
except PackageNotFoundError:  # run from a checkout that was not installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
