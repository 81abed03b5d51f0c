"""`lensy scorecard --recompute` says whether kept numbers are still those that come out."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from lensy.cli.main import app
from lensy.talk import question


@pytest.mark.parametrize(
    ("same", "code", "said"),
    [
        ({"auroc.x": True, "auroc.y": True}, 0, "2 of 2 kept numbers agree.\n"),
        (
            {"auroc.x": True, "auroc.y": False},
            1,
            "1 of 2 kept numbers agree.\nOther numbers than those that are kept: auroc.y.\n",
        ),
    ],
)
def test_what_is_computed_again_is_compared(
    monkeypatch: pytest.MonkeyPatch, same: dict[str, bool], code: int, said: str
) -> None:
    monkeypatch.setattr(question, "recomputed", lambda *_: same)
    result = CliRunner().invoke(app, ["scorecard", "--recompute"])
    assert result.exit_code == code
    assert result.stderr == said
    assert "auroc.naberrie.vis" in result.stdout
