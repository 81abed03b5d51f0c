"""How fast Naberrie paints and learns on this machine, and what the ways to speed it up are worth.

    .venv/bin/python tests/benchmarks/inference_speed.py

Medians of several repetitions. The processor's peak is the best that matrix products of several
sizes reach here, in single precision and in bfloat16; the operations of the network are counted by
torch. ONNX Runtime and OpenVINO are tried where they
are installed (`pip install onnxruntime openvino onnx`); the package needs neither. Not part of the
tests.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from record import record
from torch.utils.flop_counter import FlopCounterMode

from lensy.finding.search import Window, stitched_output
from lensy.models.unet import Naberrie
from lensy.provenance import commit, hardware

SIDE, BATCH = 200, 8
KINDS = {False: torch.float32, True: torch.bfloat16}
"""Arithmetic of a training step, by whether it is mixed."""


def median_seconds(work: Callable[[], Any], n: int) -> float:
    """Median time of `n` calls after two that do not count."""
    for _ in range(2):
        work()
    times = []
    for _ in range(n):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def peak_gigaflops(n: int, kind: torch.dtype = torch.float32) -> float:
    """Billions of operations per second, the best of products of square matrices."""
    rates = []
    for side in (512, 1024, 2048, 4096):
        a = torch.randn(side, side).to(kind)
        rates.append(2 * side**3 / median_seconds(lambda a=a: a @ a, n) / 1e9)  # type: ignore[misc]
    return max(rates)


def gigaflops_per_frame(model: Naberrie) -> float:
    """Billions of operations to paint one frame, counted by torch; a product and a sum are two."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(torch.zeros(1, 1, SIDE, SIDE))
    return counter.get_total_flops() / 1e9


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Let torch compute with `n` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    yield
    torch.set_num_threads(before)


def exported(model: Naberrie, folder: Path) -> Path:
    """The network as an ONNX file for batches of BATCH frames."""
    path = folder / "naberrie.onnx"
    torch.onnx.export(model, (torch.zeros(BATCH, 1, SIDE, SIDE),), path, dynamo=True)
    return path


def with_onnx_runtime(path: Path) -> Callable[[np.ndarray], Any]:
    """Painting by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda frames: session.run(None, {name: frames})


def with_openvino(path: Path, precision: str = "f32") -> Callable[[np.ndarray], Any]:
    """Painting by OpenVINO."""
    import openvino

    hints = {"INFERENCE_PRECISION_HINT": precision}
    compiled = openvino.Core().compile_model(str(path), "CPU", hints)
    return lambda frames: compiled([frames])


def painting(model: Naberrie, n: int) -> dict[str, float]:
    """Seconds per frame by each way."""
    frames = torch.randn(BATCH, 1, SIDE, SIDE)
    plain = Naberrie(model.width)
    plain.load_state_dict(model.state_dict())
    plain.eval()
    fused = model.fused()

    def half() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            fused(frames)

    ways: dict[str, Callable[[], Any]] = {
        "torch, channels first": lambda: plain(frames),
        "torch, channels last": lambda: model(frames),
        "the same, normalisations fused": lambda: fused(frames),
        "the same, bfloat16": half,
    }
    found: dict[str, float] = {}
    with torch.inference_mode():
        for name, way in ways.items():
            found[name] = median_seconds(way, n) / BATCH
        with threads(1):
            found["torch, channels last, one thread"] = median_seconds(ways["torch, channels last"], n) / BATCH  # fmt: skip  # noqa: E501
        compiled = torch.compile(model)
        found["torch.compile, channels last"] = median_seconds(lambda: compiled(frames), n) / BATCH
    with tempfile.TemporaryDirectory() as folder:
        engines: dict[str, Callable[[Path], Callable[[np.ndarray], Any]]] = {
            "ONNX Runtime": with_onnx_runtime,
            "OpenVINO": with_openvino,
            "OpenVINO, bfloat16": partial(with_openvino, precision="bf16"),
        }
        for name, engine in engines.items():
            try:
                path = exported(plain, Path(folder))
                run = engine(path)
            except ImportError as error:
                typer.echo(f"{name}: not tried ({error})")
                continue
            found[name] = median_seconds(lambda run=run: run(frames.numpy()), n) / BATCH  # type: ignore[misc]
    return found


def training_step(width: int, crop: int, batch: int, n: int, *, mixed: bool = False) -> float:
    """Seconds per training crop, in single precision or mixed with bfloat16."""
    torch.manual_seed(1)
    model = Naberrie(width).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters())
    crops = torch.randn(batch, 1, crop, crop)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = model(crops).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return median_seconds(step, n) / batch


def main(
    n: Annotated[int, typer.Option(help="Repetitions of each measurement.")] = 9,
    side: Annotated[int, typer.Option(help="Side of the large frame, pixels.")] = 2000,
    keep: Annotated[bool, typer.Option("--record", help="Keep the result for the book.")] = False,
) -> None:
    """Print the table."""
    torch.manual_seed(1)
    model = Naberrie(16).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    work = gigaflops_per_frame(model)
    peaks = {kind: peak_gigaflops(n, kind) for kind in (torch.float32, torch.bfloat16)}
    typer.echo(f"{hardware()}, commit {commit()}: one frame of {SIDE} x {SIDE}: {work:.2f} Gflop")
    for kind, peak in peaks.items():
        typer.echo(f"matrix products in {kind}: {peak:.0f} Gflop/s")
    rows = []
    for name, seconds in painting(model, n).items():
        peak = peaks[torch.bfloat16 if "bfloat16" in name else torch.float32]
        share = work / seconds / peak
        rows.append({"way": name, "ms_per_frame": 1e3 * seconds, "share_of_peak": share})
        typer.echo(
            f"{name:<34}{1e3 * seconds:6.1f} ms a frame, {SIDE**2 / seconds / 1e6:5.2f} Mpixel/s, "
            f"{100 * share:3.0f} % of the peak"
        )
    trainings = []
    for crop, batch, mixed in ((64, 16, False), (64, 16, True), (80, 32, False), (48, 16, False)):
        seconds = training_step(16, crop, batch, n, mixed=mixed)
        share = 3 * work * (crop / SIDE) ** 2 / seconds / peaks[KINDS[mixed]]
        trainings.append(
            {"crop": crop, "batch": batch, "mixed": mixed, "crops_per_second": 1 / seconds}
        )
        typer.echo(
            f"training, {batch} crops of {crop}{', bfloat16' if mixed else ''}: "
            f"{1 / seconds:5.0f} crops/s, {100 * share:3.0f} % of the peak"
        )
    sky = np.random.default_rng(1).normal(size=(side, side)).astype(np.float32)
    with torch.inference_mode():
        whole = median_seconds(lambda: model(torch.from_numpy(sky)[None, None]), 3)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tiles = median_seconds(lambda: stitched_output(model, sky, Window.of("VIS")), 3)
    rates = {"whole": side**2 / whole / 1e6, "windows": side**2 / tiles / 1e6}
    for name, rate in rates.items():
        typer.echo(f"{side} x {side} pixels, {name}: {rate:.2f} Mpixel/s")
    typer.echo(f"largest memory of the process, the frame at once included: {memory:.0f} MB")
    if keep:
        record(
            "inference_speed",
            rows,
            trainings=trainings,
            gflop_per_frame=work,
            peak_gflops={"float32": peaks[torch.float32], "bfloat16": peaks[torch.bfloat16]},
            megapixels_per_second=rates,
            megabytes=memory,
        )


if __name__ == "__main__":
    typer.run(main)
