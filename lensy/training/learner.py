"""What the trainings of all networks share: optimiser, schedule, history, and who is best.

A network is judged on validation frames after every epoch, by the AUROC of its scores or by its
loss. Lightning brings checkpoints, resuming, devices and several nodes; none of that is written
here.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lensy.metrics.ranking import auroc

log = logging.getLogger(__name__)

logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)


class Schedule(Protocol):
    """Settings that every training has."""

    @property
    def learning_rate(self) -> float:
        """Peak of the one-cycle schedule."""

    @property
    def weight_decay(self) -> float:
        """Of AdamW."""

    @property
    def n_epochs(self) -> int:
        """Stretches of steps between two validations."""


class Learner(lightning.LightningModule):
    """A network in training. Subclasses bring the data and the steps.

    Their training step hands its loss to `noted`, their validation step what it found to `collect`.
    model: the network. rows: the history, one row per epoch. n_steps: of the optimiser in all.
    """

    model: Any

    def __init__(self, schedule: Schedule, *, n_steps: int) -> None:
        super().__init__()
        self.schedule = schedule
        self.n_steps = n_steps
        self.rows: list[dict[str, float]] = []
        self._losses: list[tuple[float, int]] = []
        self._validation: dict[str, list[Any]] = {}
        self._started = time.monotonic()

    def loader(self, items: Dataset[Any], batch_size: int, **options: Any) -> DataLoader[Any]:
        """Processes that load only where the cores are not busy with the network anyway."""
        n_workers = 0 if self.device.type == "cpu" else max(1, (os.cpu_count() or 2) - 2)
        return DataLoader(items, batch_size=batch_size, num_workers=n_workers, **options)

    def configure_optimizers(self) -> Any:
        """AdamW (Loshchilov & Hutter 2019) with a one-cycle schedule."""
        peak = self.schedule.learning_rate
        optimiser = torch.optim.AdamW(
            self.parameters(), lr=peak, weight_decay=self.schedule.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=peak, total_steps=self.n_steps
        )
        return {
            "optimizer": optimiser,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def noted(self, loss: Tensor, *, weight: int = 1) -> Tensor:
        """The loss as it came, for the history. weight: of the batch in the epoch's mean."""
        self._losses.append((float(loss.detach()), weight))
        return loss

    def collect(self, **columns: Tensor) -> None:
        """Values (batch,) of validation frames: `label`, `score`, and losses if there are any."""
        for name, values in columns.items():
            self._validation.setdefault(name, []).append(values.detach().cpu().double().numpy())

    def on_validation_epoch_end(self) -> None:
        """Log AUROC and loss of the validation frames, and add a row to the history."""
        whole = {name: np.concatenate(parts) for name, parts in self._validation.items()}
        self._validation = {}
        area = auroc(whole["label"] > 0, whole["score"])
        self.log("val_auroc", area)
        if "loss" in whole:
            self.log("val_loss", float(whole["loss"].mean()))
        if not self._losses:
            return
        row = {
            "epoch": self.trainer.current_epoch + 1,
            "step": self.trainer.global_step,
            "train_loss": _weighted_mean(self._losses),
        }
        row |= {"val_loss": float(whole["loss"].mean())} if "loss" in whole else {}
        row |= {"val_auroc": area, "minutes": (time.monotonic() - self._started) / 60}
        self._losses = []
        self.rows.append(row)
        stated = ", ".join(f"{name} {value:.4g}" for name, value in list(row.items())[2:])
        log.info("epoch %d: %s", row["epoch"], stated)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The history is part of the state."""
        checkpoint["rows"] = self.rows

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the history, its clock included."""
        self.rows = list(checkpoint["rows"])
        if self.rows:
            self._started = time.monotonic() - 60 * self.rows[-1]["minutes"]


class Checkpoints(ModelCheckpoint):
    """Lightning's, but a folder that was moved since is the same folder.

    Lightning forgets then which epoch was best, and would name a file that is no more.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with what was remembered, its files where they are now."""

        def here(path: str) -> str:
            return str(Path(str(self.dirpath)) / Path(path).name) if path else path

        names = ("best_model_path", "kth_best_model_path", "last_model_path")
        moved: dict[str, Any] = {name: here(state_dict[name]) for name in names}
        moved["best_k_models"] = {here(k): v for k, v in state_dict["best_k_models"].items()}
        super().load_state_dict(state_dict | moved | {"dirpath": self.dirpath})


def train(
    module: Learner,
    folder: Path,
    *,
    judged_by: Literal["val_auroc", "val_loss"] = "val_auroc",
    progress: bool = False,
    options: dict[str, Any] | None = None,
) -> Path:
    """Run Lightning's trainer; the checkpoint in `folder` that validation likes best.

    A training that was killed goes on after its last finished epoch. judged_by: what validation
    says, the greatest AUROC or the least loss. options: passed on to the trainer.
    """
    keep = Checkpoints(
        dirpath=folder,
        filename="best",
        monitor=judged_by,
        mode="max" if judged_by == "val_auroc" else "min",
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    latest = Checkpoints(
        dirpath=folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    last = folder / "last.ckpt"
    run_trainer(
        module,
        resume=last if last.exists() else None,
        callbacks=[keep, latest],
        progress=progress,
        options=options,
    )
    return Path(keep.best_model_path)


def run_trainer(
    module: Learner,
    *,
    resume: Path | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    options: dict[str, Any] | None = None,
) -> None:
    """Let Lightning's trainer teach a network. resume: a checkpoint to go on from."""
    given = usual_options(options)
    trainer = lightning.Trainer(
        max_epochs=module.schedule.n_epochs,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        logger=False,
        callbacks=[*callbacks, *given.pop("callbacks", ())],
        enable_checkpointing=bool(callbacks),
        enable_progress_bar=progress,
        enable_model_summary=False,
        **given,
    )
    with warnings.catch_warnings():
        # two cores are busy with the network: loader processes would only take them away
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory.*exists.*")
        # Lightning 2.6 uses a class that torch 2.12 deprecates
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*")
        trainer.fit(module, ckpt_path=str(resume) if resume else None, weights_only=True)


def _weighted_mean(pairs: Sequence[tuple[float, int]]) -> float:
    values, weights = zip(*pairs, strict=True)
    return float(np.average(values, weights=weights))


def usual_options(options: dict[str, Any] | None) -> dict[str, Any]:
    """Lightning's options for all trainings, with those given in place of the usual ones.

    Whatever device there is, all of them. Precision is mixed on a GPU that computes in bfloat16:
    that is fast there, and on most processors slow.
    """
    given = options or {}
    on_gpu = given.get("accelerator", "auto") in ("auto", "gpu", "cuda") and _has_bfloat16()
    precision = "bf16-mixed" if on_gpu else "32-true"
    return {"accelerator": "auto", "devices": "auto", "precision": precision} | given


def _has_bfloat16() -> bool:
    """Whether there is a GPU that computes in bfloat16."""
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def arithmetic(options: dict[str, Any] | None) -> str:
    """The precision that Lightning's trainer computes in with these options: part of a result."""
    return str(usual_options(options)["precision"])
