"""Training through Lightning: one module, one `fit`, and `obtain`, which trains or loads.

First the U-Net learns to paint, then the classifier's dense layers learn on its frozen encoder.

Lightning brings checkpoints, resuming, devices and several nodes; none of that is written here.
"""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from lensy.artefacts import Instrument
from lensy.bands import band
from lensy.classifying import HeadHistory, cached_features, train_head
from lensy.datasets import Crops, Frames, Item
from lensy.errors import LensyError
from lensy.evaluation import elsewhere, finish_run, score_again
from lensy.experiments import Experiment
from lensy.metrics import auroc, brightest_mean
from lensy.models.classifier import Classifier, FrozenEncoder
from lensy.models.naberrie import Naberrie
from lensy.provenance import provenance, write_json
from lensy.runs import Run, find_run, round_trip_half, runs_folder, write_history
from lensy.simulate import Recipe
from lensy.store import DataSet, make_data_set

log = logging.getLogger(__name__)
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)

N_BRIGHTEST_WHILE_TRAINING = {"VIS": 100, "Y": 30, "J": 30, "H": 30}
"""Brightest pixels whose mean ranks the validation frames after each epoch."""


class NaberrieModule(lightning.LightningModule):
    """Naberrie with its loss, optimiser and data.

    The loss is the mean squared error of arcsinh(flux / sigma), linear in the noise and
    logarithmic in bright arcs, so that faint arcs count. To it comes that of a coarse painting, a
    number per 16 x 16 pixels straight from the bottleneck, against the mean of the target there.
    """

    def __init__(self, experiment: Experiment, data: DataSet) -> None:
        super().__init__()
        self.experiment = experiment
        self.settings = experiment.training
        self.data = data
        sigma = [band(name).background_sigma for name in experiment.bands]
        model = Naberrie(self.settings.width, sigma, self.settings.upsampling)
        # an eighth faster on CPUs than the default order of channels
        self.model: Naberrie = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.coarse = nn.Conv2d(self.model.bottleneck_width, 1, kernel_size=1)
        self.rows: list[dict[str, float]] = []
        self._losses: list[float] = []
        self._validation: dict[str, list[Any]] = {}
        self._started = time.monotonic()

    def train_dataloader(self) -> DataLoader[Item]:
        """The crops of the current epoch; the trainer asks anew for each."""
        per_epoch = self.settings.steps_per_epoch * self.settings.batch
        crops = Crops(
            self.data,
            self.experiment.bands,
            size=self.settings.crop,
            seed=self.settings.seed,
            start=self.trainer.current_epoch * per_epoch,
            count=per_epoch,
            instrument=training_instrument(self.experiment),
        )
        return self._loader(crops, self.settings.batch)

    def val_dataloader(self) -> DataLoader[Item]:
        """The first validation frames, whole."""
        limit = self.settings.n_check
        return self._loader(
            Frames(self.data, "validation", self.experiment.bands, limit=limit), batch_size=16
        )

    def _loader(self, items: Dataset[Item], batch_size: int) -> DataLoader[Item]:
        """Processes that load only where the cores are not busy with the network anyway."""
        n_workers = 0 if self.device.type == "cpu" else max(1, (os.cpu_count() or 2) - 2)
        return DataLoader(items, batch_size=batch_size, num_workers=n_workers)

    def configure_optimizers(self) -> Any:
        """AdamW (Loshchilov & Hutter 2019) with a one-cycle schedule."""
        settings = self.settings
        optimiser = torch.optim.AdamW(
            self.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=settings.learning_rate, total_steps=settings.n_steps
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def training_step(self, batch: Item, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Loss of one batch of crops."""
        height, width = batch["image"].shape[-2:]
        features, skips = self.model.encode(batch["image"])
        output = self.model.paint(features, skips)[..., :height, :width]
        target = self.model.compress_light(batch["target"])
        loss = functional.mse_loss(output, target)
        self._losses.append(float(loss.detach()))
        blocks = functional.interpolate(target, features.shape[-2:], mode="area")
        return loss + self.settings.coarse_weight * functional.mse_loss(
            self.coarse(features), blocks
        )

    def validation_step(self, batch: Item, batch_idx: int) -> None:  # noqa: ARG002
        """Collect loss and score of whole frames."""
        output = self.model(batch["image"])
        error = (output - self.model.compress_light(batch["target"])) ** 2
        n_brightest = N_BRIGHTEST_WHILE_TRAINING[self.experiment.band]
        score = brightest_mean(output[:, 0].float().cpu().numpy(), n_brightest)
        collected = {
            "error": error.mean(dim=(1, 2, 3)).cpu().numpy(),
            "score": score,
            "label": batch["label"].cpu().numpy(),
        }
        for name, values in collected.items():
            self._validation.setdefault(name, []).append(values)

    def on_validation_epoch_end(self) -> None:
        """Log AUROC and loss of the validation frames, and add a row to the history."""
        whole = {name: np.concatenate(parts) for name, parts in self._validation.items()}
        self._validation = {}
        area = auroc(whole["label"], whole["score"])
        self.log("val_auroc", area)
        if not self._losses:
            return
        row = {
            "epoch": self.trainer.current_epoch + 1,
            "step": self.trainer.global_step,
            "train_loss": float(np.mean(self._losses)),
            "val_loss": float(whole["error"].mean()),
            "val_auroc": area,
            "minutes": (time.monotonic() - self._started) / 60,
        }
        self._losses = []
        self.rows.append(row)
        log.info(
            "epoch %(epoch)d: loss %(train_loss).4f, validation loss %(val_loss).4f, "
            "AUROC %(val_auroc).4f, %(minutes).1f minutes",
            row,
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The history is part of the state."""
        checkpoint["rows"] = self.rows

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the history, its clock included."""
        self.rows = list(checkpoint["rows"])
        if self.rows:
            self._started = time.monotonic() - 60 * self.rows[-1]["minutes"]


def fit(
    experiment: Experiment,
    data: DataSet,
    folder: Path,
    *,
    progress: bool = False,
    trainer_options: dict[str, Any] | None = None,
) -> Run:
    """Train U-Net and classifier, each as validation likes it best, score the test set, write it.

    folder: where the run is written. A killed job that is started again goes on after its last
    finished epoch and ends with the weights it would have had. trainer_options: passed on to
    Lightning's Trainer (`accelerator`, `devices`, `num_nodes`, ...).
    Raises LensyError where data or folder belong to another experiment.
    """
    if data.recipe.fingerprint != experiment.recipe.fingerprint:
        raise LensyError(
            f"{data.folder} holds {data.recipe.name!r}, but {experiment.name} at scale "
            f"{experiment.scale} is defined on {experiment.recipe.name!r}."
        )
    origin = provenance()
    started = time.monotonic()
    _claim(folder, experiment)
    torch.manual_seed(experiment.training.seed)
    module = NaberrieModule(experiment, data)
    best = _train(module, folder / "checkpoints", progress, trainer_options or {})
    state = torch.load(best, weights_only=True, map_location="cpu")["state_dict"]
    module.load_state_dict(state)
    round_trip_half(module.model)
    write_history(folder / "history.csv", module.rows)
    encoder = FrozenEncoder(module.model.to(_device(trainer_options or {})).eval())
    classifier, history = _classifier(encoder, experiment, data, progress)
    best_row = max(module.rows, key=lambda row: row["val_auroc"])
    about = {
        "best_epoch": best_row["epoch"],
        "wall_seconds": round(60 * module.rows[-1]["minutes"], 1),
        "provenance": origin,
    }
    log.info("classifier after %.1f minutes", (time.monotonic() - started) / 60)
    return finish_run(experiment, classifier, history, data, folder, about=about, progress=progress)


def fit_classifier(run: Run, data: DataSet, folder: Path, *, progress: bool = False) -> Run:
    """New dense layers for another data set, on the frozen encoder of a finished run.

    The run's name says for which population; its U-Net is that of `run`, bit by bit.
    """
    origin = provenance()
    trained = run.info["experiment"]
    experiment = elsewhere(run, data.recipe, "for")
    started = time.monotonic()
    classifier, history = _classifier(
        FrozenEncoder(run.model().to(_device({}))), experiment, data, progress
    )
    about = {
        "wall_seconds": round(time.monotonic() - started, 1),
        "provenance": origin,
        "encoder_of": {"name": trained["name"], "fingerprint": run.info["fingerprint"]},
    }
    write_history(folder / "history.csv", run.history_rows())
    return finish_run(
        experiment,
        classifier,
        history,
        data,
        folder,
        about=about,
        n_brightest=run.info["score"]["painting"]["n_brightest"],
        progress=progress,
    )


def training_instrument(experiment: Experiment) -> Instrument | None:
    """What training images pass through; None for the instrument of the data's recipe."""
    return Instrument.realistic() if experiment.training.artefacts else None


def _device(options: dict[str, Any]) -> torch.device:
    """Where Lightning trained, or would."""
    wants_cpu = options.get("accelerator") == "cpu" or not torch.cuda.is_available()
    return torch.device("cpu" if wants_cpu else "cuda")


def _classifier(
    encoder: FrozenEncoder, experiment: Experiment, data: DataSet, progress: bool
) -> tuple[Classifier, HeadHistory]:
    """Dense layers on the encoder, trained on whole frames, in half precision like the encoder."""
    settings = experiment.training
    frames = Crops(
        data,
        experiment.bands,
        size=None,
        seed=settings.seed,
        start=0,
        count=settings.head.n_draws * data.recipe.n_train,
        instrument=training_instrument(experiment),
    )
    train = cached_features(encoder, frames, progress=progress)
    checked = Frames(data, "validation", experiment.bands)
    validation = cached_features(encoder, checked, progress=progress)
    head, history = train_head(train, validation, settings.head, seed=settings.seed)
    round_trip_half(head)
    log.info(
        "dense layers: validation AUROC %.4f after %.0f seconds",
        max(history.validation_auroc),
        history.seconds,
    )
    return Classifier(encoder, head.to(encoder.unet.sigma.device)), history


def _claim(folder: Path, experiment: Experiment) -> None:
    path = folder / "experiment.json"
    content = json.loads(experiment.model_dump_json())
    if path.exists() and json.loads(path.read_text("utf-8")) != content:
        raise LensyError(
            f"{folder} holds an unfinished run with other settings: give another folder, or "
            "remove that one."
        )
    write_json(path, content)


def _train(module: NaberrieModule, folder: Path, progress: bool, options: dict[str, Any]) -> Path:
    """Run Lightning's trainer; the checkpoint with the best validation AUROC."""
    keep = ModelCheckpoint(
        dirpath=folder,
        filename="best",
        monitor="val_auroc",
        mode="max",
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    latest = ModelCheckpoint(
        dirpath=folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    trainer = lightning.Trainer(
        max_epochs=module.settings.n_epochs,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        callbacks=[keep, latest],
        enable_progress_bar=progress,
        enable_model_summary=False,
        **({"accelerator": "auto", "devices": "auto"} | options),
    )
    last = folder / "last.ckpt"
    with warnings.catch_warnings():
        # two cores are busy with the network: loader processes would only take them away
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory.*exists.*")
        # Lightning 2.6 uses a class that torch 2.12 deprecates
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*")
        trainer.fit(module, ckpt_path=str(last) if last.exists() else None, weights_only=True)
    return Path(keep.best_model_path)


def obtain(
    experiment: Experiment,
    *,
    data_folder: Path = Path("data"),
    runs: Path = Path("runs"),
    use_shipped: bool = True,
    progress: bool = False,
) -> Run:
    """The run of an experiment: shipped, made earlier, or else trained now, data included."""
    run = find_run(experiment, runs=runs, use_shipped=use_shipped)
    if run is not None:
        return run
    log.info("no finished run of %s at scale %s: training", experiment.name, experiment.scale)
    recipe = experiment.recipe
    data = make_data_set(recipe, data_folder / recipe.name, progress=progress)
    return fit(experiment, data, runs_folder(experiment, runs), progress=progress)


def obtain_elsewhere(
    run: Run,
    recipe: Recipe,
    *,
    retrain: bool,
    data_folder: Path = Path("data"),
    runs: Path = Path("runs"),
    use_shipped: bool = True,
    progress: bool = False,
) -> Run:
    """A run's networks on other data: shipped, made earlier, or else scored now, data included.

    retrain: whether the classifier's dense layers are trained anew for these data.
    """
    wanted = elsewhere(run, recipe, "for" if retrain else "on")
    found = find_run(wanted, runs=runs, use_shipped=use_shipped)
    if found is not None:
        return found
    data = make_data_set(recipe, data_folder / recipe.name, progress=progress)
    make = fit_classifier if retrain else score_again
    return make(run, data, runs_folder(wanted, runs), progress=progress)
