"""Keep what the scorecard says of the shipped runs: `python tests/talk/keep_estimates.py`.

Once, when these runs have changed; tests/talk/test_question.py says so.
"""

from __future__ import annotations

from lensy.runs.library import shipped_run
from lensy.talk import claims, scorecard
from lensy.talk.question import keep

if __name__ == "__main__":
    runs = {name: shipped_run(name) for name in {*scorecard.NEEDED, *claims.NEEDED}}
    keep((*scorecard.QUESTIONS.values(), *claims.CLAIMS), runs)
