"""Naberrie and its classifier: the experiments, and how they are taught, loaded and asked.

First the U-Net learns to reconstruct the lensed light, then the classifier's dense layers learn on
its frozen encoder.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import torch
from pydantic import Field
from torch import nn

from lensy.datasets.frames import Crops, Frames
from lensy.datasets.store import DataSet
from lensy.errors import LensyError
from lensy.metrics.ranking import ranking_results
from lensy.metrics.reconstruction import QUALITY
from lensy.models.classifier import Classifier, Differentiable, FrozenEncoder, Head
from lensy.models.precision import computing_in
from lensy.models.unet import Naberrie, Upsampling
from lensy.provenance import provenance
from lensy.runs.experiment import Count, Scale, Training, known_scale, with_seed
from lensy.runs.run import Run, write_history
from lensy.runs.weights import round_trip_half
from lensy.simulation.recipe import BandName, Recipe
from lensy.telescope.instrument import Instrument
from lensy.training.fit import NetworkExperiment, Tested, device, finish
from lensy.training.head import HeadTraining, cached_features, rounded, train_head
from lensy.training.learner import Learner
from lensy.training.scorer import Scorer
from lensy.training.unet_learner import UnetLearner
from lensy.training.unet_scores import choose_painting_score, describe_score, score_frames

log = logging.getLogger(__name__)


class UnetTraining(Training):
    """Settings of one training run of a U-Net and of the dense layers on its encoder."""

    width: Count = 16
    """Channels at the first level of the network."""
    upsampling: Upsampling = "bilinear"
    crop: Annotated[int, Field(ge=16)] = 64
    """Side of the training crops, pixels: a ring of 2.5 arcsec with some room around it."""
    batch: Count = 16
    n_epochs: Count = 12
    steps_per_epoch: Count = 1000
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    """Peak of the one-cycle schedule. Source: Smith & Topin 2018, arXiv 1708.07120."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    coarse_weight: Annotated[float, Field(ge=0)] = 4.0
    """Weight of a second loss on a coarse reconstruction made from the bottleneck alone, which is
    thrown away after training: it makes the encoder say what the classifier will need. Source: Lee
    et al. 2015, Deeply-Supervised Nets."""
    n_check: Count = 400
    """Validation frames scored after each epoch; all are used to choose the score at the end."""
    artefacts: bool = False
    """Whether training crops carry the artefacts and the correlated noise of real mosaics."""
    head: HeadTraining = HeadTraining()


BANDS: dict[str, tuple[BandName, ...]] = {
    "naberrie-vis": ("VIS",),
    "naberrie-y": ("Y",),
    "naberrie-j": ("J",),
    "naberrie-h": ("H",),
    "naberrie-vis-longer": ("VIS",),
    "naberrie-colour": ("VIS", "Y", "J", "H"),
    "naberrie-vis-artefacts": ("VIS",),
    "naberrie-vis-marking": ("VIS",),
}
"""The experiments, and the bands that each network sees."""

START = {name: "naberrie-vis" for name in BANDS if name != "naberrie-vis"}
"""Experiments that begin with the weights of another. In NISP a network with random weights paints
nothing for its first thousand steps, because the arcs drown in the light of the lens galaxy; one
that has learned in VIS what an arc is sees them at once. (Measured in H: after 2000 steps the
classifier's validation AUROC was 0.71 from random weights and 0.80 from those of VIS.) In VIS,
four networks go on for half as many steps again: with nothing new, with colour, with artefacts in
the images, and with artefacts that it is to mark."""

MARKING = "naberrie-vis-marking"
"""The talk's next step: a second output, the mask of artefacts."""

_SMOKE = UnetTraining(
    n_epochs=2,
    steps_per_epoch=15,
    batch=8,
    n_check=40,
    head=HeadTraining(n_draws=1, n_epochs=20),
)
_VIS = {
    "smoke": _SMOKE,
    "laptop": UnetTraining(),
    "talk": UnetTraining(width=64, crop=128, batch=64, n_epochs=40, steps_per_epoch=500),
}
# a NISP crop of 48 pixels is 14 arcsec wide and costs half of one in VIS
_NISP = {
    "smoke": _SMOKE.model_copy(update={"crop": 48}),
    "laptop": UnetTraining(crop=48),
    "talk": UnetTraining(width=64, crop=64, batch=64, n_epochs=40, steps_per_epoch=500),
}


def training_of(name: str, scale: Scale) -> UnetTraining:
    """The settings of an experiment at a scale."""
    if BANDS[name][0] != "VIS":
        return _NISP[scale]
    settings = _VIS[scale]
    if name not in START:
        return settings
    flawed = name in ("naberrie-vis-artefacts", MARKING)
    changes = {"n_epochs": settings.n_epochs // 2, "artefacts": flawed}
    return settings.model_copy(update=changes)


class UnetExperiment(NetworkExperiment):
    """Naberrie with its classifier, from images in some bands.

    bands: those of the input; the lensed light of the first is reconstructed. start: the
    experiment whose finished network gives the first weights; random ones without.
    marks_artefacts: whether the network learns to mark the pixels that artefacts spoil.
    """

    kind: ClassVar[str] = "unet"
    names: ClassVar[tuple[str, ...]] = tuple(BANDS)
    scored_as_trained: ClassVar[bool] = True
    has_head: ClassVar[bool] = True

    bands: tuple[BandName, ...]
    training: UnetTraining
    start: UnetExperiment | None = None
    marks_artefacts: bool = False

    @classmethod
    def named(cls, name: str, scale: Scale, recipe: Recipe, *, seed: int | None = None) -> Self:
        """The experiment of that name. seed: another one than usual becomes part of the name."""
        label, training = with_seed(name, training_of(name, known_scale(scale)), seed)
        start = cls.named(START[name], scale, recipe, seed=seed) if name in START else None
        return cls(
            name=label,
            scale=scale,
            bands=BANDS[name],
            training=training,
            recipe=recipe,
            start=start,
            marks_artefacts=name == MARKING,
        )

    @property
    def instrument(self) -> Instrument | None:
        """What training images pass through; None for the instrument of the data's recipe."""
        return Instrument.realistic() if self.training.artefacts else None

    def learner(self, data: DataSet) -> Learner:
        """The U-Net with its data."""
        return UnetLearner(self, data)

    def completed(
        self, learner: Learner, data: DataSet, *, progress: bool
    ) -> tuple[nn.Module, dict[str, Any]]:
        """The classifier on the U-Net's frozen encoder, and how its dense layers have learned."""
        classifier, history = self.classifier(learner.model, data, progress=progress)
        return classifier, {"classifier": history}

    def classifier(
        self, unet: Naberrie, data: DataSet, *, progress: bool
    ) -> tuple[Classifier, dict[str, Any]]:
        """Dense layers on a U-Net's encoder, taught on whole frames, in half precision like it."""
        settings, encoder = self.training, FrozenEncoder(unet.eval())
        frames = Crops(
            data,
            self.bands,
            size=None,
            seed=settings.seed,
            start=0,
            count=settings.head.n_draws * data.recipe.n_train,
            instrument=self.instrument,
        )
        checked = Frames(data, "validation", self.bands)
        train, validation = (
            cached_features(encoder, images, progress=progress) for images in (frames, checked)
        )
        head, history = train_head(train, validation, settings.head, seed=settings.seed)
        round_trip_half(head)
        log.info(
            "dense layers: validation AUROC %.4f after %.0f seconds",
            max(history["validation_auroc"]),
            history["seconds"],
        )
        return Classifier(encoder, head.to(unet.sigma.device)), rounded(history)

    def parts(self, network: nn.Module) -> Mapping[str, nn.Module]:
        """The U-Net, and the dense layers on its encoder."""
        classifier = _classifier(network)
        return {"model": classifier.encoder.unet, "head": classifier.head}

    def trunk(self, run: Run) -> Naberrie:
        """The U-Net of a finished run, its own or that of the run whose encoder it stands on."""
        owner = run.info.get("encoder_of")
        if owner is not None and not run.holds("model"):
            run = run.beside(owner["name"], owner["fingerprint"])
        weights = run.weights("model")
        model = Naberrie(
            self.training.width,
            weights["sigma"].flatten().tolist(),
            self.training.upsampling,
            marks_artefacts=self.marks_artefacts,
        )
        model.load_state_dict(weights)
        # an eighth faster on CPUs than the default order of channels
        fast: Naberrie = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return fast.eval()

    def load(self, run: Run) -> Classifier:
        """The classifier of a finished run."""
        encoder = FrozenEncoder(self.trunk(run))
        head = Head(encoder.n_features)
        head.load_state_dict(run.weights("head"))
        return Classifier(encoder, head).eval()

    def validated(
        self, network: nn.Module, data: DataSet, *, earlier: dict[str, Any] | None, progress: bool
    ) -> dict[str, Any]:
        """What a score and a reconstruction's brightest pixels mean."""
        validation = score_frames(
            _classifier(network), Frames(data, "validation", self.bands), progress=progress
        )
        n_brightest = earlier["painting"]["n_brightest"] if earlier else None
        return describe_score(
            validation, choose_painting_score(validation, n_brightest=n_brightest)
        )

    def tested(
        self, network: nn.Module, data: DataSet, score: dict[str, Any], *, progress: bool
    ) -> Tested:
        """Scores, and how good the reconstructions are."""
        found = score_frames(
            _classifier(network), Frames(data, "test", self.bands), progress=progress
        )
        brightest = found[f"brightest_{score['painting']['n_brightest']}"]
        columns = {name: found[name] for name in ("label", "score", "lens_logit", *QUALITY)}
        return Tested(
            columns | {"brightest": brightest},
            {"test_painting": ranking_results(found["label"], brightest)},
        )

    def scorer(self, run: Run, precision: str | None = None) -> Scorer:
        """The classifier and its U-Net; precision: that of the training unless given."""
        classifier = self.load(run)
        fused = classifier.fused()
        return Scorer(
            self.bands,
            fused.score,
            name=run.name,
            unet=fused.encoder.unet,
            differentiable=Differentiable(classifier),
            precision=precision or run.arithmetic,
            meaning=run.info["score"],
            origin=run.origin,
        )

    def make(self, data: DataSet, folder: Path, *, start: Run | None, progress: bool) -> Run:
        """Teach the network, or the dense layers alone, or score on other data."""
        if self._given is not None and "-for-" in self.name:
            return fit_head(self, self._given, data, folder, progress=progress)
        return super().make(data, folder, start=start, progress=progress)


def fit_head(
    experiment: UnetExperiment, run: Run, data: DataSet, folder: Path, *, progress: bool = False
) -> Run:
    """New dense layers for another data set, on the frozen encoder of a finished run.

    experiment: that of `run` `elsewhere`, "for" the data. The U-Net stays, bit by bit, and is kept
    by `run` alone.
    """
    origin, started = provenance(), time.monotonic()
    where = device()
    with computing_in(run.arithmetic, where.type):
        unet = experiment.trunk(run).to(where)
        classifier, history = experiment.classifier(unet, data, progress=progress)
        about = {
            "classifier": history,
            "wall_seconds": round(time.monotonic() - started, 1),
            "arithmetic": run.arithmetic,
            "provenance": origin,
            "encoder_of": {"name": run.name, "fingerprint": run.fingerprint},
        }
        write_history(folder / "history.csv", run.history_rows())
        return finish(
            experiment,
            classifier,
            data,
            folder,
            about=about,
            earlier=run.info["score"],
            progress=progress,
        )


def _classifier(network: nn.Module) -> Classifier:
    if not isinstance(network, Classifier):
        raise LensyError(f"This needs a classifier on a U-Net, not a {type(network).__name__}.")
    return network
