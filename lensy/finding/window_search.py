"""Search a cutout with any network that scores images: window by window."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lensy.errors import LensyError
from lensy.figures.objects import Outlined
from lensy.finding.result import Finding
from lensy.finding.search import Search


class WindowSearch(Search):
    """The best of overlapping windows: all that scores alone can say."""

    columns: ClassVar[dict[str, str]] = {
        "score": "as the network gives it for 20 arcsec; the middle of the best window",
        "probability": "calibrated; half of all images like it taken to be lenses",
    }

    def found(self) -> Finding:
        """The middle of the best window. Raises LensyError where a score is no number."""
        scores = {(y, x): float(self.scorer(self.view(y, x))[0]) for y, x in self.windows()}
        if not np.isfinite(list(scores.values())).all():
            raise LensyError(
                f"{self.scorer.name} gives a score of {self.cutout.path} that is no finite number: "
                "mend the network."
            )
        corner = max(scores, key=lambda each: scores[each])
        score, half = scores[corner], 0.5 * (self.window.side - 1)
        first = [start - part.start for start, part in zip(corner, self.inside, strict=True)]
        rows, columns = (slice(max(0, start), start + self.window.side) for start in first)
        row, column = (start + half for start in first)
        seen = self.cutout.mask[rows, columns]
        n_y, n_x = self.usable.shape
        found = self.candidate(
            column,
            row,
            score,
            to_border=min(row, column, n_y - 1 - row, n_x - 1 - column),
            no_data=seen,
            probability=self.probability(score),
        )
        nothing = np.zeros(self.usable.shape, bool)
        box = (columns.start, rows.start, seen.shape[1], seen.shape[0])
        window = Outlined("window", nothing, box, f"{score:.2f}")
        return Finding(self.cutout, [found], outlined=[window])
