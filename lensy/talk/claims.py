"""What the talk said in words, each with the experiment that tests it, its number and a verdict.

A claim is a statement about a number: that it lies above some value. It holds where the whole 95 %
interval does, does not where the whole interval lies below, and is undecided otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from lensy.metrics.ranking import Estimate, auroc, bootstrap, mean_estimate, share_estimate
from lensy.talk.question import Question, Row, Runs, Verdict
from lensy.values import Floats


def claim_verdict(ours: Estimate, above: float = 0.0) -> Verdict:
    """What an interval says of the claim that the number lies above a value."""
    if ours.low > above:
        return "holds"
    return "does not hold" if ours.high < above else "undecided"


def claim(
    id: str,
    words: str,
    experiment: str,
    needs: tuple[str, ...],
    measure: Callable[[Runs], Estimate],
    chapter: str,
    above: float = 0.0,
) -> Question:
    """A sentence of the talk, or what follows from one, made a statement about a number.

    experiment: what the number is. needs: names of the runs it is from. measure: from these runs.
    chapter: that shows it. above: the claim is that the number lies above this.
    """
    quantity = f"{words} ({experiment}, above {above:g})"
    judge = partial(claim_verdict, above=above)
    return Question(id, quantity, None, needs, measure, chapter, judge)


def highlighted(runs: Runs) -> Estimate:
    """Share of the painted light that lies on a flaw, over the share of the image that it fills.

    Each scene is seen with every kind of flaw, so that scenes are resampled, not images.
    """
    from lensy.telescope.instrument import KINDS

    rows = runs["naberrie-vis-on-artefacts"].scores()
    flawed = np.isin(rows["condition"], KINDS) & (rows["n_spoilt"] > 0) & (rows["flux"] > 0)
    _, scene = np.unique(rows["number"][flawed], return_inverse=True)
    light = np.bincount(scene, rows["on_artefact"][flawed])
    area = np.bincount(scene, rows["n_spoilt"][flawed] / 200**2)
    return mean_estimate(light, over=area)


def gaps_fool_the_unet(runs: Runs) -> Estimate:
    """Share of single exposures that a gap makes an alarm of, less those that it hides."""
    return mean_estimate(_added_by_gaps(runs, "naberrie-vis"))


def gaps_fool_the_unet_more(runs: Runs) -> Estimate:
    """The same, less what it is for OU-200 on the same scenes."""
    unet, ou = (_added_by_gaps(runs, name) for name in ("naberrie-vis", "ou-200-published"))
    return mean_estimate(unet - ou)


def _added_by_gaps(runs: Runs, network: str) -> Floats:
    """Of each scene, (n,): 1 where a gap makes an alarm of it, -1 where it hides one."""
    from lensy.exams.artefacts import SINGLE, SINGLE_GAP, added_alarms

    return added_alarms(runs[f"{network}-on-artefacts"], SINGLE_GAP, SINGLE)


def blue_rings(runs: Runs) -> Estimate:
    """Share of ordinary images below the bluest ring, less that below the reddest."""
    from lensy.exams.rings import share_below_ring

    _, shares = share_below_ring(runs["ou-200-published-on-rings"], "colour")
    return mean_estimate(shares[0] - shares[-1])


def flaws_lead(runs: Runs) -> Estimate:
    """Share of the top of a list of HST-like exposures that flaws have brought there."""
    from lensy.exams.survey import GALAXY, LENS

    rows = runs["ou-vis-published-on-survey"].scores()
    causes = rows["cause"][(rows["condition"] == "HST-like") & (rows["cause"] != "")]
    return share_estimate(~np.isin(causes, (LENS, GALAXY)))


def gained(better: str, worse: str) -> Callable[[Runs], Estimate]:
    """A measure: the AUROC of one run less that of another, on the images that both have scored."""

    def difference(runs: Runs) -> Estimate:
        scores = [runs[name].scores() for name in (better, worse)]
        n = min(len(each["label"]) for each in scores)
        pair = np.stack([each["score"][:n] for each in scores], axis=1)
        return bootstrap(
            lambda label, two: auroc(label, two[:, 0]) - auroc(label, two[:, 1]),
            scores[0]["label"][:n],
            pair,
        )

    return difference


def mask_helps(runs: Runs) -> Estimate:
    """Share of flawed images that are alarms without an artefact mask, less that with one.

    Of each scene, over all kinds of flaw; then the mean over scenes.
    """
    from lensy.exams.artefacts import alarms
    from lensy.telescope.instrument import KINDS

    plain, marking = (
        np.mean([alarms(runs[f"{name}-on-artefacts"], kind) for kind in KINDS], axis=0)
        for name in ("naberrie-vis-artefacts", "naberrie-vis-marking")
    )
    return mean_estimate(plain - marking)


def together_help(runs: Runs) -> Estimate:
    """Share of the false positives that are gone once score and painting are put together."""
    from lensy.exams.description import SCORE, combined, false_positives_left, of_split

    validation = of_split(runs["naberrie-vis-marking-describes-talk-with-flaws"], "validation")
    test = of_split(runs["naberrie-vis-marking-describes-talk-artefacts"], "test")
    scores, both = combined(validation, test), "both, logistic"
    pair = {name: scores[name] for name in (SCORE, both)}
    return false_positives_left(test["label"], pair, true_positive_rate=0.8)[both].removed


CLAIMS = (
    claim(
        "words.vis-sees-more",
        "lenses are easier to tell in VIS than in H",
        "difference of the two AUROC on the same scenes",
        ("naberrie-vis", "naberrie-h"),
        gained("naberrie-vis", "naberrie-h"),
        "classifier",
    ),
    claim(
        "words.artefacts-highlighted",
        "the U-Net highlights artefacts",
        "share of the painted light that lies on a flaw over the share of the image it fills",
        ("naberrie-vis-on-artefacts",),
        highlighted,
        "false_alarms",
        above=1.0,
    ),
    claim(
        "words.gaps-like-lensing",
        "the U-Net takes chip gaps for lensing",
        "share of single exposures that a gap makes a false alarm",
        ("naberrie-vis-on-artefacts",),
        gaps_fool_the_unet,
        "false_alarms",
    ),
    claim(
        "words.gaps-not-ou200",
        "chip gaps fool the U-Net, and not OU-200",
        "the same, less what it is for OU-200",
        ("naberrie-vis-on-artefacts", "ou-200-published-on-artefacts"),
        gaps_fool_the_unet_more,
        "false_alarms",
    ),
    claim(
        "words.blue-rings",
        "OU-200 responds to blue rings",
        "share of ordinary images below a blue ring, less that below a red one",
        ("ou-200-published-on-rings",),
        blue_rings,
        "trouble",
    ),
    claim(
        "words.hst-artefacts",
        "most of the surest finds in HST images are artefacts",
        "share of the top of a list that flaws brought there, HST-like exposures, OU-VIS",
        ("ou-vis-published-on-survey",),
        flaws_lead,
        "false_alarms",
        above=0.5,
    ),
    claim(
        "words.non-lenses-help",
        "learning non-lenses makes Mask R-CNN better",
        "AUROC of MRC-3 less that of MRC-995, as trained at this scale",
        ("mrc-3", "mrc-995"),
        gained("mrc-3", "mrc-995"),
        "mask_rcnn",
    ),
    claim(
        "words.non-lenses-help-at-first",
        "the same of networks that begin with random weights, after as many steps",
        "AUROC of MRC-3 less that of MRC-995, both from random weights",
        ("mrc-3-from-random", "mrc-995-from-random"),
        gained("mrc-3-from-random", "mrc-995-from-random"),
        "mask_rcnn",
    ),
    claim(
        "words.non-lenses-why",
        "MRC-3 is better because it recognises non-lenses",
        "AUROC of MRC-3 less that with the names of its galaxies shuffled, from random weights",
        ("mrc-3-from-random", "mrc-3-shuffled"),
        gained("mrc-3-from-random", "mrc-3-shuffled"),
        "mask_rcnn",
    ),
    claim(
        "words.artefact-mask",
        "an explicit artefact mask removes false alarms",
        "share of flawed images that are alarms without a mask, less that with one",
        ("naberrie-vis-artefacts-on-artefacts", "naberrie-vis-marking-on-artefacts"),
        mask_helps,
        "ideas",
    ),
    claim(
        "words.score-and-light",
        "score and reconstruction together remove false alarms",
        "share of false positives gone where 8 in 10 lenses are found, images with flaws",
        (
            "naberrie-vis-marking-describes-talk-with-flaws",
            "naberrie-vis-marking-describes-talk-artefacts",
        ),
        together_help,
        "ideas",
    ),
)
"""All of them, in the order of the talk."""


NEEDED = tuple(dict.fromkeys(name for each in CLAIMS for name in each.needs))
"""Names of all runs that claims are measured with."""


def claims(runs: Runs) -> list[Row]:
    """A row of the scorecard for every claim. runs: finished runs by experiment name."""
    return [each.row(runs) for each in CLAIMS]
