"""Commands about runs: `lensy train`, `lensy evaluate`, `lensy scorecard`."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from lensy.datasets.store import DataSet
from lensy.errors import LensyError, exit_code_two
from lensy.models.ou import FAMILY
from lensy.runs.experiment import SCALES, Scale
from lensy.runs.library import find_run, runs_folder, shipped_run
from lensy.runs.run import SHIPPED, Run
from lensy.talk.claims import NEEDED as CLAIMED
from lensy.talk.claims import claims
from lensy.talk.scorecard import as_text
from lensy.talk.scorecard import scorecard as make_scorecard
from lensy.training.mask_rcnn import VARIANTS, MaskExperiment, mask_experiment
from lensy.training.mask_rcnn_fit import fit_masks, score_masks_again
from lensy.training.ou import NAMES as PREDECESSORS
from lensy.training.ou import fit_ou, ou_experiment, score_predecessor
from lensy.training.ou_weights import fetch_weights
from lensy.training.unet import BANDS, START, Experiment, experiment
from lensy.training.unet_fit import fit, fit_classifier
from lensy.training.unet_scores import elsewhere, score_again

NAMES = (*BANDS, *VARIANTS, *PREDECESSORS)

ALL = ", ".join(NAMES)

Quiet = Annotated[bool, typer.Option(help="No progress, only errors.")]


def train(
    name: Annotated[str, typer.Argument(help=f"Experiment: {ALL}.")],
    data: Annotated[Path, typer.Option(help="Folder of the data set.")],
    scale: Annotated[str, typer.Option(help=f"Scale: {', '.join(SCALES)}.")] = "laptop",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run [default: runs/SCALE/NAME].")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of first weights, crops and noise.")] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(help="Folder of a finished run: train a new classifier on its encoder only."),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the run that the first weights come from, for experiments that begin "
            "with those of another [default: the shipped one, or runs/SCALE/OTHER]."
        ),
    ] = None,
    accelerator: Annotated[str, typer.Option(help="Lightning's accelerator.")] = "auto",
    devices: Annotated[str, typer.Option(help="Lightning's devices.")] = "auto",
    nodes: Annotated[int, typer.Option(help="Lightning's number of nodes.")] = 1,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Lightning's precision [default: bf16-mixed on a GPU that can, else 32-true]."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train a network on a data set; started again after a kill, go on where it stopped."""
    _log(quiet)
    with exit_code_two():
        data_set = DataSet(data)
        data_set.verify()
        settings: dict[str, Any] = {"progress": not quiet}
        runs = Path("runs")
        if encoder is not None:
            trained = Run(encoder)
            folder = out or runs_folder(elsewhere(trained, data_set.recipe, "for"), runs)
            typer.echo(_result(fit_classifier(trained, data_set, folder, **settings)))
            return
        settings["trainer_options"] = {
            "accelerator": accelerator,
            "devices": int(devices) if devices.isdecimal() else devices,
            "num_nodes": nodes,
        } | ({"precision": precision} if precision else {})
        if start is not None and name not in (*START, *VARIANTS):
            raise LensyError(
                f"--start is for the experiments {', '.join(START)} and for those of Mask R-CNN."
            )
        recipe = data_set.recipe
        if name in VARIANTS:
            masks = mask_experiment(name, _scale(scale), recipe, seed=seed)
            first = Run(start) if start else _start(masks, data)
            folder = out or runs_folder(masks, runs)
            run = fit_masks(masks, data_set, folder, start=first, **settings)
        elif name in PREDECESSORS:
            ours = ou_experiment(name, _scale(scale), recipe, seed=seed)
            run = fit_ou(ours, data_set, out or runs_folder(ours, runs), **settings)
        else:
            wanted = experiment(_known(name), _scale(scale), recipe, seed=seed)
            first = Run(start) if start else _start(wanted, data)
            folder = out or runs_folder(wanted, runs)
            run = fit(wanted, data_set, folder, start=first, **settings)
        typer.echo(_result(run))


def evaluate(
    data: Annotated[Path, typer.Option(help="Folder of the data set.")],
    out: Annotated[Path, typer.Option(help="Folder of the run to write.")],
    run: Annotated[Path | None, typer.Option(help="Folder of a finished run.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="The predecessor's weights instead, a safetensors file.")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help=f"Whose weights they are: {', '.join(FAMILY)} [default with --weights: ou-vis]. "
            "Without --weights they are fetched from where they were published."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Score a test set with the network of a run, or with one that the predecessor published."""
    with exit_code_two():
        if (run is None) == (weights is None and network is None):
            raise LensyError(
                "Give either --run, the folder of a finished run, or --network, --weights or both."
            )
        if run is not None:
            trained = Run(run)
            again = score_masks_again if trained.finds_masks else score_again
            scored = again(trained, DataSet(data), out, progress=not quiet)
        else:
            name = network or "ou-vis"
            scored = score_predecessor(
                weights or fetch_weights(name), DataSet(data), out, name=name, progress=not quiet
            )
        typer.echo(_result(scored))


def scorecard(
    run: Annotated[
        list[Path] | None, typer.Option(help="Folder of a run, instead of the shipped one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A list of objects.")] = False,
) -> None:
    """Every number that the talk published, with ours beside it, and every claim in words."""
    with exit_code_two():
        runs = {each.info["experiment"]["name"]: each for each in map(Run, run or [])}
        for name in (*NAMES, *CLAIMED):
            if name not in runs and any(SHIPPED.glob(f"*/{name}/run.json")):
                runs[name] = shipped_run(name)
        rows = [*make_scorecard(runs), *claims(runs)]
        if as_json:
            typer.echo(json.dumps([row.as_dict() for row in rows], indent=1))
        else:
            typer.echo(as_text(rows))


def _start(wanted: Experiment | MaskExperiment, data: Path) -> Run | None:
    """The run that an experiment begins with, if it begins with one."""
    if wanted.start is None:
        return None
    run = find_run(wanted.start, runs=Path("runs"))
    if run is None:
        name, seed = wanted.start.name.split("-seed-")[0], wanted.start.training.seed
        raise LensyError(
            f"{wanted.name} begins with the weights of {wanted.start.name}, of which there is no "
            f"finished run on this data: make it with `lensy train {name} --data {data} "
            f"--scale {wanted.scale} --seed {seed}`, or give its folder with --start."
        )
    return run


def _known(name: str) -> str:
    if name not in NAMES:
        raise LensyError(f"There is no experiment {name!r}; the experiments are {ALL}.")
    return name


def _scale(word: str) -> Scale:
    for scale in SCALES:
        if scale == word:
            return scale
    raise LensyError(f"There is no scale {word!r}; the scales are {', '.join(SCALES)}.")


def _log(quiet: bool) -> None:
    """Show what the package says of its progress, and of Lightning only warnings."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("lensy").setLevel(logging.WARNING if quiet else logging.INFO)
    logging.getLogger("lightning").setLevel(logging.WARNING)


def _result(run: Run) -> str:
    test = run.info["test"]
    if "auroc" not in test:
        return f"{run.folder}: scores of {test['n']} images, {test['n_lenses']} of them lenses."
    area = test["auroc"]
    return (
        f"{run.folder}: test AUROC {area['value']:.4f} "
        f"(95 % interval {area['low']:.4f} to {area['high']:.4f}, n = {test['n']})."
    )
