/* A threshold to move, in every element of class "play-roc". Runs in the page: no kernel, no network.

   The element holds a script of type application/json, as lensy.play.threshold_player writes it:
   scores of lenses and of non-lenses, each ascending, and some pictures with their scores. */
"use strict";

const playRoc = (() => {
  /* How many of an ascending list reach a threshold. */
  function reaching(scores, threshold) {
    let [low, high] = [0, scores.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (scores[middle] < threshold) low = middle + 1;
      else high = middle;
    }
    return scores.length - low;
  }

  function outcome(data, threshold) {
    const found = reaching(data.lenses, threshold);
    const alarms = reaching(data.others, threshold);
    return {
      found, alarms,
      missed: data.lenses.length - found,
      cleared: data.others.length - alarms,
      tpr: found / data.lenses.length,
      fpr: alarms / data.others.length,
    };
  }

  return { reaching, outcome };
})();

(() => {
  const SIDE = 260; // of the diagram, without its margins
  const MARGIN = 42;
  const GALAXIES = 100000; // in the survey of the example
  const LENSES = 50; // among them, a prevalence of 5e-4

  const make = (parent, tag, properties = {}) =>
    parent.appendChild(Object.assign(document.createElement(tag), properties));

  function draw(parent, tag, attributes, text = "") {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return parent.appendChild(element);
  }

  function diagram(parent, data) {
    const size = SIDE + 1.5 * MARGIN;
    const svg = draw(parent, "svg", { viewBox: `0 0 ${size} ${size}`, role: "img" });
    const place = (x, y) => [MARGIN + SIDE * x, 0.5 * MARGIN + SIDE * (1 - y)];
    const line = (points, name) =>
      draw(svg, "polyline", { points: points.map((p) => place(...p)).join(" "), class: name });
    line([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], "frame");
    line([[0, 0], [1, 1]], "guess");
    const thresholds = [...data.others, ...data.lenses].sort((a, b) => b - a);
    const step = Math.max(1, Math.floor(thresholds.length / 600));
    const curve = thresholds.filter((_, k) => k % step === 0).map((threshold) => {
      const { fpr, tpr } = playRoc.outcome(data, threshold);
      return [fpr, tpr];
    });
    line([[0, 0], ...curve, [1, 1]], "curve");
    for (const value of [0, 0.5, 1]) {
      const [x, y] = place(value, 0);
      draw(svg, "text", { x, y: y + 15, "text-anchor": "middle" }, value);
      draw(svg, "text", { x: MARGIN - 6, y: place(0, value)[1] + 4, "text-anchor": "end" }, value);
    }
    const [x, y] = place(0.5, 0);
    draw(svg, "text", { x, y: y + 32, "text-anchor": "middle" }, "false positive rate");
    const middle = place(0, 0.5)[1];
    draw(svg, "text", {
      x: 12, y: middle, "text-anchor": "middle", transform: `rotate(-90 12 ${middle})`,
    }, "true positive rate");
    const point = draw(svg, "circle", { r: 6, class: "point" });
    return (result) => {
      const [cx, cy] = place(result.fpr, result.tpr);
      point.setAttribute("cx", cx);
      point.setAttribute("cy", cy);
      svg.setAttribute(
        "aria-label",
        `ROC curve; the threshold is where ${percent(result.tpr)} of the lenses and ` +
          `${percent(result.fpr)} of the others pass`);
    };
  }

  const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 2 : 0)} %`;

  function build(root) {
    const data = JSON.parse(root.querySelector("script").textContent);
    const upper = make(root, "div", { className: "play-panels" });
    const move = diagram(make(upper, "figure"), data);
    const side = make(upper, "div");
    const label = make(side, "label", { textContent: "threshold of the score " });
    // a step per image: scores themselves crowd together where most images are
    const steps = [...data.lenses, ...data.others].sort((a, b) => a - b);
    const slider = make(label, "input", { type: "range", min: 0, max: steps.length - 1 });
    slider.value = steps.length - playRoc.reaching(steps, data.threshold);
    const output = make(label, "output");
    const table = make(side, "table", { className: "table" });
    const cells = {};
    const rows = [["", "called a lens", "not called"], ["lenses", "found", "missed"],
      ["others", "alarms", "cleared"]];
    rows.forEach((row, i) => {
      const line = make(table, "tr");
      row.forEach((word, j) => {
        const cell = make(line, i * j ? "td" : "th", { textContent: i * j ? "" : word });
        if (i * j) cells[word] = cell;
        else if (word) cell.scope = i ? "row" : "col";
      });
    });
    const summary = make(side, "p", { className: "play-summary" });
    summary.setAttribute("aria-live", "polite");
    make(root, "p", { textContent: `Of ${data.pictures.length} images, these would be on the list:` });
    const gallery = make(root, "div", { className: "play-gallery" });
    const pictures = [...data.pictures].sort((a, b) => b.score - a.score).map((each) => {
      const word = each.lens ? "lens" : "no lens";
      const figure = make(gallery, "figure", { className: each.lens ? "lens" : "other" });
      make(figure, "img", { src: each.picture, alt: `${word}, score ${each.score.toFixed(1)}` });
      make(figure, "figcaption", { textContent: `${each.score.toFixed(1)}: ${word}` });
      return [figure, each.score];
    });

    function update() {
      const threshold = steps[slider.value];
      const result = playRoc.outcome(data, threshold);
      move(result);
      output.textContent = threshold.toFixed(2);
      for (const [name, cell] of Object.entries(cells)) cell.textContent = result[name];
      const found = Math.round(LENSES * result.tpr);
      const list = found + Math.round((GALAXIES - LENSES) * result.fpr);
      summary.textContent =
        `${percent(result.tpr)} of the lenses pass, and ${percent(result.fpr)} of the others. ` +
        `Among ${GALAXIES.toLocaleString("en")} galaxies with ${LENSES} lenses, the list would ` +
        `have ${list.toLocaleString("en")} entries, ${found} of them lenses.`;
      for (const [figure, score] of pictures) figure.hidden = score < threshold;
    }
    slider.addEventListener("input", update);
    update();
  }

  const start = () => document.querySelectorAll(".play-roc").forEach(build);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
