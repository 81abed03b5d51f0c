"""The book's machinery on chapters of a few lines and pages of a few tags."""

from __future__ import annotations

import re
from pathlib import Path

import gate
import nbformat
import pytest
from bs4 import BeautifulSoup
from build import make_book, make_room, read_arguments
from builders import CHAPTER_HEADER as HEADER
from execute import ChapterError, complaints, defined_parameters, project_kernel, run_chapter
from settings import Settings, choose_parameters, read_settings
from stage import chapter_names, stage

from lensy.errors import LensyError

ROOT = Path(__file__).resolve().parents[2]

PARAMETERS = ':tags: [parameters]\n\nscale = "laptop"\nuse_shipped = True\nn_points = 100'
FIGURE = """---
mystnb: {image: {alt: A straight line.}}
---
%matplotlib inline
from matplotlib.figure import Figure
figure = Figure(figsize=(2, 1))
figure.subplots().plot([0, n_points])
figure"""


def write_book(folder: Path, *cells: str) -> Path:
    """A book of a front page and a chapter `one` with these code cells, at scale `smoke`."""
    (folder / "scales").mkdir(parents=True)
    (folder / "_toc.yml").write_text("{format: jb-book, root: index, chapters: [{file: one}]}")
    (folder / "references.bib").write_text("")
    (folder / "scales" / "smoke.yml").write_text("{scale: smoke, minutes: 2}")
    (folder / "index.md").write_text("# A book\n\nSee [](one.md), with {glue:text}`one.md::n:d`.\n")
    code = "\n\n".join(f"```{{code-cell}} ipython3\n{cell}\n```" for cell in cells)
    (folder / "one.md").write_text(f"{HEADER}Formula $x^2$.\n\n{code}\n")
    return folder


def run(tmp_path: Path, *cells: str, minutes: float = 1.0) -> Path:
    """Stage and execute a chapter of these cells. Returns its notebook."""
    notebook = stage(write_book(tmp_path / "source", *cells), tmp_path / "stage")["one"]
    with project_kernel(tmp_path / "kernels.log"):
        run_chapter("one", notebook, {}, minutes=minutes, folder=tmp_path)
    return notebook


def page(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def test_our_book_has_the_scales_and_every_chapter_they_speak_of() -> None:
    names = chapter_names(ROOT / "book")
    for scale in ("smoke", "laptop", "talk"):
        assert read_settings(ROOT / "book" / "scales" / f"{scale}.yml", names).scale == scale


def test_staging_makes_notebooks_hides_defaults_and_points_links(tmp_path: Path) -> None:
    source = write_book(tmp_path / "source", PARAMETERS, "scale")
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / "stale.md").write_text("# Old")
    notebooks = stage(source, tmp_path / "stage")
    assert list(notebooks) == ["one"]
    files = {path.name for path in (tmp_path / "stage").iterdir()}
    assert files == {"_toc.yml", "references.bib", "index.md", "one.ipynb"}
    defaults, shown = nbformat.read(notebooks["one"], as_version=4).cells[-2:]
    assert defaults.metadata.tags == ["parameters", "remove-cell"]
    assert "tags" not in shown.metadata
    assert "[](one.ipynb)" in (tmp_path / "stage" / "index.md").read_text()


def test_a_chapter_of_the_contents_must_exist(tmp_path: Path) -> None:
    source = write_book(tmp_path)
    (source / "one.md").unlink()
    with pytest.raises(LensyError, match=r"_toc\.yml lists 'one', but there is no .*one\.md"):
        chapter_names(source)


def test_parameters_come_from_the_scale_and_the_command(tmp_path: Path) -> None:
    notebook = stage(write_book(tmp_path / "source", PARAMETERS), tmp_path / "stage")["one"]
    defined = defined_parameters(notebook)
    assert defined == {"scale": "laptop", "use_shipped": True, "n_points": 100}
    settings = Settings(scale="smoke", minutes=1, chapters={"one": {"parameters": {"n_points": 3}}})
    shared = {"use_shipped": False, "data_folder": "data"}
    expected = {"scale": "smoke", "use_shipped": False, "n_points": 3}
    assert choose_parameters("one", defined, settings, shared) == expected
    plain = Settings(scale="smoke", minutes=1)
    shown = choose_parameters("one", defined, plain, shared)
    assert shown == expected | {"n_points": 100}, "The page shows defaults that are in use too."


def test_a_parameter_that_has_to_be_computed_is_rejected(tmp_path: Path) -> None:
    computed = PARAMETERS.replace("n_points = 100", "n_points = 10 * len(scale)")
    notebook = stage(write_book(tmp_path / "source", computed), tmp_path / "stage")["one"]
    with pytest.raises(LensyError, match=r"one\.ipynb: the parameter 'n_points' is 10 \* len"):
        defined_parameters(notebook)


def test_unknown_parameter_is_rejected() -> None:
    settings = Settings(scale="smoke", minutes=1, chapters={"one": {"parameters": {"n_pionts": 3}}})
    with pytest.raises(LensyError, match="sets the parameter 'n_pionts' of chapter 'one', whose"):
        choose_parameters("one", {"scale": "laptop", "n_points": 100}, settings, {})


def test_training_gets_more_time() -> None:
    settings = Settings(scale="smoke", minutes=1, chapters={"one": {"minutes": 2}})
    assert [settings.limit(name, fresh=True) for name in ("one", "two")] == [2, 1]
    settings = settings.model_copy(update={"fresh_minutes": 60})
    assert [
        settings.limit(name, fresh=fresh) for fresh in (True, False) for name in ("one", "two")
    ] == [60, 60, 2, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{scale: smoke, minutes: 0}", "minutes is 0: Input should be greater than 0"),
        ("{scale: smoke, minutes: 1, chapters: {one: {figs: 2}}}", "chapters.one.figs is 2"),
        ("{scale: smoke, minutes: 1, chapters: {two: {}}}", "a chapter 'two'; the chapters .* one"),
    ],
)
def test_settings_say_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "smoke.yml"
    path.write_text(text)
    with pytest.raises(LensyError, match=message):
        read_settings(path, ["one"])
    with pytest.raises(LensyError, match=r"no scale 'big' in .*; there are smoke"):
        read_settings(tmp_path / "big.yml", ["one"])


def test_a_failing_cell_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ChapterError) as caught:
        run(tmp_path, "x = 1", "y = x / 0", "z = 1")
    report = str(caught.value)
    assert "Chapter one failed in code cell 2 of 3:\n    y = x / 0\n" in report
    assert "error     ZeroDivisionError: division by zero" in report
    assert f"notebook  {tmp_path / 'stage' / 'one.ipynb'}" in report
    assert "ZeroDivisionError" in (tmp_path / "stage" / "one.ipynb").read_text()


def test_a_chapter_over_its_limit_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(
        ChapterError, match=r"cell 2 of 2:\n.*sleep\(60\)\n.*limit of 0\.01 minutes"
    ):
        run(tmp_path, "import time", "time.sleep(60)", minutes=0.01)


def test_a_dead_kernel_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ChapterError, match=r"cell 1 of 1:\n(.*\n)*.*the kernel died"):
        run(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")


def test_figures_survive_another_backend_and_errors_on_the_side_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    notebook = run(
        tmp_path,
        "import matplotlib.pyplot as plt\nplt.plot([0, 1]);",
        "import sys\nprint('\\r 50%|##  | 1/2 [00:01, 1.0it/s]\\nbeware', file=sys.stderr)",
    )
    assert gate.count_figures(notebook) == 1
    assert complaints(notebook) == ["beware"]
    content = nbformat.read(notebook, as_version=4)
    assert [cell.id for cell in content.cells] == ["one-0", "one-1", "one-2"]
    assert "papermill" not in notebook.read_text()


def test_a_whole_book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    glued = "from myst_nb import glue\nglue('n', n_points, display=False)"
    source = write_book(tmp_path / "source", PARAMETERS, glued, FIGURE)
    words = ["--scale", "smoke", "--source", str(source), "--stage", str(tmp_path / "stage")]
    first = make_book(read_arguments([*words, "--out", str(tmp_path / "out"), "--fresh"]))
    one = first.with_name("one.html").read_text("utf-8")
    assert "use_shipped</span>" in re.sub(r"<span></span>", "", one)
    assert "laptop" not in one
    assert 'alt="A straight line."' in one
    assert ">100<" in first.read_text("utf-8")
    assert "one " in capsys.readouterr().out


def test_an_earlier_book_goes_and_anything_else_stays(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(LensyError, match="holds something that is no book"):
        make_room(tmp_path)
    (tmp_path / ".buildinfo").write_text("")
    make_room(tmp_path)
    assert not tmp_path.exists()


def test_gate_finds_missing_figures() -> None:
    html = page('<div class="cell_output"><img alt="A line" src="a.png"></div>')
    assert gate.check_figures("one", html, 1, 1) == []
    assert gate.check_figures("one", html, 2, 3) == [
        "one.html shows 1 of the 2 figures that its cells made.",
        "one.html shows 1 figures; its scale asks for 3.",
    ]
    as_text = page(
        '<div class="cell_output"><pre>&lt;Figure size 640x480 with 1 Axes&gt;</pre></div>'
    )
    (problem,) = gate.check_figures("one", as_text, 0, 0)
    assert problem == "one.html shows a figure as text: its chapter lacks `%matplotlib inline`."


@pytest.mark.parametrize("alt", ["", 'alt=""', 'alt="_images/a.png"', 'alt="other.png"'])
def test_gate_finds_missing_alt_text(alt: str) -> None:
    problems = gate.check_alt("one.html", page(f'<img {alt} src="_images/a.png">'))
    assert problems == ["one.html: the image _images/a.png has no alt text."]


def test_gate_finds_tracebacks() -> None:
    html = "<pre>Traceback (most recent call last)</pre>"
    assert gate.check_tracebacks("one.html", page(html)) == ["one.html shows a traceback."]
    assert gate.check_tracebacks("one.html", page("<p>The line traces back.</p>")) == []


def test_gate_finds_formulas_without_mathjax() -> None:
    formula = '<span class="math">x</span>'
    assert "loads no MathJax" in gate.check_maths("one.html", page(formula))[0]
    loaded = page(formula + '<script src="_static/mathjax/tex-chtml.js"></script>')
    assert gate.check_maths("one.html", loaded) == []


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.org/a"></script>',
        '<script src="//cdn.org/a"></script>',
        '<link rel="stylesheet" href="http://cdn.org/a">',
        '<link rel="preconnect" href="https://cdn.org">',
        '<img alt="a" src="https://cdn.org/a.png">',
        '<img alt="a" srcset="b.png 1x, https://cdn.org/a.png 2x">',
        '<iframe src="https://cdn.org/a"></iframe>',
        "<style>@import 'https://cdn.org/a.css';</style>",
        '<p style="background: url(https://cdn.org/a.png)">a</p>',
        '<script type="module">import x from "https://cdn.org/x.js"</script>',
    ],
)
def test_gate_finds_what_comes_from_another_host(html: str) -> None:
    (problem,) = gate.check_remote("one.html", page(html))
    assert problem.startswith("one.html fetches ")
    assert "cdn.org" in problem


def test_gate_lets_readers_click_elsewhere() -> None:
    html = '<a href="https://arxiv.org">a</a><link rel="canonical" href="https://lensy.org">'
    assert gate.check_remote("one.html", page(html)) == []


def test_gate_finds_remote_fonts(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face {src: url('https://fonts.org/f.woff')}")
    (tmp_path / "b.css").write_text("@import '../a.css'; p {background: url(data:image/png,x)}")
    assert gate.check_stylesheets(tmp_path) == ["a.css fetches https://fonts.org/f.woff."]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("two.html", "one.html links to two.html, which is not in the book."),
        ("../one.html", "one.html links to ../one.html, which is not in the book."),
        ("/one.html", "one.html links to /one.html, which is not in the book."),
        ("one.html#b", "one.html links to one.html#b, but one.html has no such anchor."),
        ("#b", "one.html links to #b, but one.html has no such anchor."),
        ("sub/page.html#b", "links to sub/page.html#b, but sub/page.html has no such anchor."),
    ],
)
def test_gate_finds_dead_links(tmp_path: Path, url: str, problem: str) -> None:
    good = '<h1 id="a">A</h1><a href="#a">a</a><a href="#">top</a><a href="sub/page.html?q=1">b</a>'
    pages = {
        "one.html": page(f'{good}<a href="{url}">c</a><a href="mailto:x@y">d</a>'),
        "sub/page.html": page('<a href="../one.html#a">back</a>'),
    }
    for name in pages:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (found,) = gate.check_links(tmp_path, pages)
    assert found.endswith(problem)


def test_gate_asks_for_every_page(tmp_path: Path) -> None:
    problems = gate.find_problems(tmp_path, {"one": tmp_path / "one.ipynb"}, {})
    assert problems == [f"{name}.html is missing." for name in ("index", "search", "one")]
