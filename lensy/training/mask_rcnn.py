"""The four Mask R-CNNs of the talk, and those set beside them: which objects, how much training."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field
from torch import nn

from lensy.datasets.instances import BAND, LENS, Instances, Variant
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.models.mask_rcnn import MaskRcnn, Size, image_score
from lensy.runs.experiment import Count, Scale, Training, known_scale, with_seed
from lensy.runs.run import Run
from lensy.simulation.recipe import Recipe
from lensy.simulation.targets import Role
from lensy.telescope.bands import band
from lensy.training.detection_scores import score_images, score_instances
from lensy.training.fit import NetworkExperiment, Tested
from lensy.training.learner import Learner
from lensy.training.mask_rcnn_learner import MaskRcnnLearner
from lensy.training.scorer import Scorer
from lensy.training.unet import UnetExperiment
from lensy.training.unet_scores import meaning_of
from lensy.values import canonical, fingerprint

_LENS: dict[str, tuple[Role, ...]] = {"lensed light": ("lensed light",)}

_BOTH: dict[str, tuple[Role, ...]] = _LENS | {"lens galaxy": ("lens galaxy",)}

_MRC_3 = Variant(99.5, _BOTH | {"galaxy": ("candidate", "companion")})

TALK = {
    "mrc-95": Variant(95.0, _LENS),
    "mrc-99": Variant(99.0, _LENS),
    "mrc-995": Variant(99.5, _LENS),
    "mrc-3": _MRC_3,
}
"""The talk's networks. The panels of its input show masks of 200 pixels, the 99.5th percentile, of
the lensed light, the lens galaxy and every other galaxy."""

BEGUN_AT_RANDOM = {"mrc-995-from-random": TALK["mrc-995"], "mrc-3-from-random": _MRC_3}
"""Two of the talk's once more, whose trunk begins with random weights at every scale, as the
talk's did, and learns with the rest."""

ABLATIONS = {
    "mrc-3-shuffled": replace(_MRC_3, shuffled=True),
    "mrc-3-companions": Variant(99.5, _BOTH | {"galaxy": ("companion",)}),
    "mrc-3-candidates": Variant(99.5, _BOTH | {"galaxy": ("candidate",)}),
}
"""MRC-3 with something taken from its non-lenses: their labels are drawn at random, or the class
holds the companions alone, or the galaxies that might have been lenses alone. They begin at random
as well: what a network learns from its objects shows most where it has learned nothing before."""

WITH_ARTEFACTS = {
    "mrc-3-artefacts": replace(_MRC_3, artefacts=True),
    "mrc-4": Variant(99.5, _MRC_3.classes | {"artefact": ("artefact",)}, artefacts=True),
}
"""The talk's next step, a class for artefacts, and its control, which sees them without a name."""

FROM_RANDOM = BEGUN_AT_RANDOM | ABLATIONS
"""All whose trunk begins with random weights at every scale."""

VARIANTS = TALK | FROM_RANDOM | WITH_ARTEFACTS
"""All networks by name."""

START = "naberrie-vis"
"""Light networks stand on its encoder, which they keep, as the talk's classifier does: in the steps
that two cores can take, a trunk with random weights does not get far."""


class MaskTraining(Training):
    """Settings of one training run, the same for all variants at a scale."""

    size: Size = "light"
    n_train: Count = 6000
    """Training frames, the first ones of the data set, each seen with new noise every time."""
    crop: Annotated[int, Field(ge=64, le=200)] = 128
    """Side of the training crops, pixels; whole frames are what is searched."""
    n_test: Count = 2000
    """Test frames, the first ones."""
    batch: Count = 8
    n_epochs: Count = 6
    steps_per_epoch: Count = 125
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    """Highest of the schedule. On 600 validation frames 1e-3 was no better (standard error 0.011),
    and 5e-3 fell behind in the first epoch."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    n_check: Count = 200
    """Validation frames scored after each epoch."""


TRAINING = {
    "smoke": MaskTraining(
        n_train=60, crop=96, n_test=40, batch=2, n_epochs=2, steps_per_epoch=4, n_check=10
    ),
    "laptop": MaskTraining(),
    "talk": MaskTraining(
        size="full",
        learning_rate=1e-3,
        n_train=45_000,
        crop=200,
        n_test=12_000,
        batch=16,
        n_epochs=20,
        steps_per_epoch=1000,
    ),
}


class MaskExperiment(NetworkExperiment):
    """A variant of Mask R-CNN, its training and the recipe of its data.

    start: the experiment whose finished Naberrie gives the trunk's first weights, which stay;
    random ones without.
    """

    kind: ClassVar[str] = "mask-rcnn"
    names: ClassVar[tuple[str, ...]] = tuple(VARIANTS)

    variant: str
    training: MaskTraining
    start: UnetExperiment | None = None

    @classmethod
    def named(cls, name: str, scale: Scale, recipe: Recipe, *, seed: int | None = None) -> Self:
        """The experiment with a variant. seed: another one than usual becomes part of the name."""
        label, training = with_seed(name, TRAINING[known_scale(scale)], seed)
        begins = training.size == "light" and name not in FROM_RANDOM
        start = UnetExperiment.named(START, scale, recipe, seed=seed) if begins else None
        return cls(
            name=label, scale=scale, variant=name, training=training, recipe=recipe, start=start
        )

    @property
    def bands(self) -> tuple[str, ...]:
        """The band that the network sees."""
        return (BAND,)

    @property
    def objects(self) -> Variant:
        """What the network is to find."""
        return VARIANTS[self.variant]

    @property
    def fingerprint(self) -> str:
        """As of any experiment; of the variant counts what it says and not its name."""
        content = canonical(self, leave_out=("name", "scale", "variant"))
        return fingerprint(self.kind, content | {"objects": asdict(self.objects)})

    def network(self) -> MaskRcnn:
        """The network with random weights."""
        sigma = band(BAND).background_sigma
        return MaskRcnn(len(self.objects.classes), sigma, self.training.size)

    def learner(self, data: DataSet) -> Learner:
        """The network with its data."""
        return MaskRcnnLearner(self, data)

    def load(self, run: Run) -> MaskRcnn:
        """The network of a finished run; a trunk that stayed as it was may be kept elsewhere."""
        model, weights = self.network(), run.weights()
        own = model.state_dict().keys() - weights.keys()
        if own and self.start is not None:
            owner = run.beside(self.start.name, self.start.fingerprint)
            model.begin_with(self.start.trunk(owner))
            weights = model.state_dict() | weights
        model.load_state_dict(weights)
        return model.eval()

    def validated(
        self, network: nn.Module, data: DataSet, *, earlier: dict[str, Any] | None, progress: bool
    ) -> dict[str, Any]:
        """What a score means."""
        del earlier
        frames = Instances(data, "validation", self.objects)
        labels, scores = score_images(_detector(network), frames, progress=progress)
        return meaning_of(labels, scores, "best detection of lensed light, 0 without any")

    def tested(
        self, network: nn.Module, data: DataSet, score: dict[str, Any], *, progress: bool
    ) -> Tested:
        """Scores of frames, and how good boxes and masks are.

        In single precision, whatever the training's: bfloat16 has three digits, and the best scores
        differ in the third.
        """
        del score
        limit = min(self.training.n_test, data.recipe.n_test)
        frames = Instances(data, "test", self.objects, limit=limit)
        columns, precision = score_instances(_detector(network), frames, progress=progress)
        return Tested(columns, {"precision": precision})

    def scorer(self, run: Run, precision: str | None = None) -> Scorer:
        """The score of the best detection of lensed light; precision: single, whatever is asked."""
        del precision
        detector = self.load(run)
        return Scorer(
            self.bands,
            lambda flux: image_score(detector.detect(flux), label=LENS),
            name=run.name,
            detector=detector,
            classes=tuple(self.objects.classes),
            meaning=run.info["score"],
            origin=run.origin,
        )


def _detector(network: nn.Module) -> MaskRcnn:
    if not isinstance(network, MaskRcnn):
        raise LensyError(f"This needs a Mask R-CNN, not a {type(network).__name__}.")
    return network


def without_detection(run: Run) -> dict[str, float]:
    """Share of lenses and of non-lenses in which nothing at all was found, of any score.

    Such images share the score 0, and so are one straight piece of the ROC curve, its last.
    """
    scores = run.scores()
    empty, labels = scores["score"] == 0, scores["label"].astype(bool)
    return {
        "lenses": float(np.mean(empty[labels])),
        "non-lenses": float(np.mean(empty[~labels])),
    }
