"""`lensy train` and `lensy evaluate`: finished runs of networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lensy.cli.report import Quiet, result, show_progress
from lensy.errors import LensyError, exit_code_two

if TYPE_CHECKING:
    from lensy.datasets.store import DataSet
    from lensy.runs.run import Run
    from lensy.simulation.recipe import Recipe
    from lensy.training.fit import NetworkExperiment

Data = Annotated[Path, typer.Option(help="Folder of the data set.")]


def _show_names(wanted: bool) -> None:
    """For --list: every experiment there is, one a line."""
    if wanted:
        from lensy.training.kinds import names

        typer.echo("\n".join(names()))
        raise typer.Exit


def train(
    name: Annotated[str, typer.Argument(help="Experiment: `lensy train --list` shows all.")],
    data: Data,
    scale: Annotated[str, typer.Option(help="Scale: smoke, laptop or talk.")] = "laptop",
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
    show_list: Annotated[  # noqa: ARG001
        bool,
        typer.Option("--list", help="Show the experiments.", callback=_show_names, is_eager=True),
    ] = False,
) -> None:
    """Train a network on a data set; started again after a kill, go on where it stopped."""
    show_progress(not quiet)
    with exit_code_two():
        from lensy.datasets.store import DataSet
        from lensy.runs.library import runs_folder
        from lensy.runs.run import Run
        from lensy.training.fit import fit
        from lensy.training.kinds import experiment
        from lensy.training.teach import RUNS

        data_set = DataSet(data)
        data_set.verify()
        if encoder is not None:
            wanted = _on_encoder(Run(encoder), data_set.recipe)
            folder = out or runs_folder(wanted, RUNS)
            run = wanted.make(data_set, folder, start=None, progress=not quiet)
        else:
            wanted = experiment(name, scale, data_set.recipe, seed=seed)
            run = fit(
                wanted,
                data_set,
                out or runs_folder(wanted, RUNS),
                start=_start(wanted, start, data),
                progress=not quiet,
                trainer_options=_trainer_options(accelerator, devices, nodes, precision),
            )
        typer.echo(result(run))


def evaluate(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the run to write.")],
    run: Annotated[Path | None, typer.Option(help="Folder of a finished run.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help="The predecessor's weights instead, a safetensors file.")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            help="Whose weights they are: ou-200, ou-vis, ou-66, ou-jyh, ou-y, ou-j or ou-h "
            "[default with --weights: ou-vis]. Without --weights they are fetched from where they "
            "were published."
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
        from lensy.datasets.store import DataSet
        from lensy.training.ou_weights import fetch_weights
        from lensy.training.predecessor import score_predecessor

        data_set = DataSet(data)
        if run is not None:
            scored = _scored_again(run, data_set, out, quiet=quiet)
        else:
            name = network or "ou-vis"
            file = weights or fetch_weights(name)
            scored = score_predecessor(file, data_set, out, name=name, progress=not quiet)
        typer.echo(result(scored))


def _on_encoder(trained: Run, recipe: Recipe) -> NetworkExperiment:
    """New dense layers for a data set, on the encoder of a finished run."""
    from lensy.training.kinds import experiment_of
    from lensy.training.unet import UnetExperiment

    experiment = experiment_of(trained)
    if not isinstance(experiment, UnetExperiment):
        raise LensyError(
            f"--encoder {trained.folder} is a run of the kind {trained.kind!r}: only one of the "
            f"kind {UnetExperiment.kind!r} has an encoder that a new classifier can stand on."
        )
    return experiment.elsewhere(trained, recipe, "for")


def _start(wanted: NetworkExperiment, given: Path | None, data: Path) -> Run | None:
    """The run that an experiment begins with, if it begins with one."""
    from lensy.runs.library import find_run
    from lensy.runs.run import Run
    from lensy.training.teach import RUNS

    first = wanted.start
    if given is not None:
        _check_begins(wanted)
        return Run(given)
    if first is None:
        return None
    run = find_run(first, runs=RUNS, with_weights=True)
    if run is None:
        name, seed = first.name.split("-seed-")[0], wanted.training.seed
        raise LensyError(
            f"{wanted.name} begins with the weights of {first.name}, of which there is no "
            f"finished run on this data: make it with `lensy train {name} --data {data} "
            f"--scale {wanted.scale} --seed {seed}`, or give its folder with --start."
        )
    return run


def _check_begins(wanted: NetworkExperiment) -> None:
    """Raise LensyError for a network that begins with no other's weights."""
    from lensy.training.kinds import experiment, names

    if wanted.start is None:
        others = [experiment(name, wanted.scale, wanted.recipe) for name in names()]
        beginning = ", ".join(each.name for each in others if each.start is not None)
        raise LensyError(
            f"--start is for the experiments {beginning}: at scale {wanted.scale} {wanted.name} "
            "begins with no other's weights."
        )


def _trainer_options(
    accelerator: str, devices: str, nodes: int, precision: str | None
) -> dict[str, Any]:
    options = {
        "accelerator": accelerator,
        "devices": int(devices) if devices.isdecimal() else devices,
        "num_nodes": nodes,
    }
    return options | ({"precision": precision} if precision else {})


def _scored_again(folder: Path, data: DataSet, out: Path, *, quiet: bool) -> Run:
    """A finished run's network on the test set of other data."""
    from lensy.runs.run import Run
    from lensy.training.kinds import experiment_of
    from lensy.training.predecessor import PublishedExperiment

    trained = Run(folder)
    experiment = experiment_of(trained)
    if isinstance(experiment, PublishedExperiment):
        raise LensyError(
            f"--run {folder} keeps scores of a published network and no weights: give --network "
            f"{experiment.published} instead."
        )
    again = experiment.elsewhere(trained, data.recipe, "on")
    return again.make(data, out, start=None, progress=not quiet)
