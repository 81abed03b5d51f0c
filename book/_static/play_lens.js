/* A lens to play with, in every element of class "play-lens". Runs in the page: no kernel, no network.

   The model is that of lensy.lensing: a singular isothermal ellipsoid (Kormann, Schneider &
   Bartelmann 1994) with external shear, in the middle of the frame. Angles are in arcsec. */
"use strict";

const playLens = (() => {
  const HALF = 2.6; // half the side of a panel, arcsec
  const SIDE = 240; // of a panel, pixels
  const STRETCH = 12; // arcsinh of so many times the brightness

  /* Source position of the light that is seen at (x, y). */
  function trace(lens, x, y) {
    const [c, s] = [Math.cos(lens.angle), Math.sin(lens.angle)];
    const [u, v] = [c * x + s * y, c * y - s * x];
    const [a, b] = isothermal(lens, u, v);
    const g = lens.shear;
    const [g1, g2] = [g * Math.cos(2 * lens.shearAngle), g * Math.sin(2 * lens.shearAngle)];
    return [x - (c * a - s * b) - (g1 * x + g2 * y), y - (s * a + c * b) - (g2 * x - g1 * y)];
  }

  /* Deflection along the ellipse's major and minor axis. */
  function isothermal(lens, u, v) {
    const q = Math.min(lens.ratio, 0.9999); // the formula needs an ellipse
    const f = Math.sqrt(1 - q * q);
    const radius = Math.hypot(q * u, v) || 1e-12;
    const scale = (lens.radius * Math.sqrt(q)) / f;
    return [scale * Math.atan((f * u) / radius), scale * Math.atanh((f * v) / radius)];
  }

  /* Where magnification is without limit, on the sky (critical) and at the source (caustic), and the
     source positions beyond which the innermost image is lost (cut). The lens is isothermal, so that
     along each direction there is one critical distance, in closed form. */
  function curves(lens, n = 360) {
    const [critical, caustic, cut] = [[], [], []];
    const q = lens.ratio;
    const [g1, g2] = [Math.cos, Math.sin].map((f) => lens.shear * f(2 * lens.shearAngle));
    for (let k = 0; k < n; k++) {
      const phi = (2 * Math.PI * k) / n;
      const [c, s] = [Math.cos(phi), Math.sin(phi)];
      const turned = phi - lens.angle;
      const strength =
        (lens.radius * Math.sqrt(q)) / Math.hypot(q * Math.cos(turned), Math.sin(turned));
      const along = (1 + g1) * s * s - 2 * g2 * s * c + (1 - g1) * c * c;
      const r = (strength * along) / (1 - lens.shear ** 2);
      critical.push([r * c, r * s]);
      caustic.push(trace(lens, r * c, r * s));
      cut.push(trace(lens, 1e-9 * c, 1e-9 * s));
    }
    return { critical, caustic, cut };
  }

  function inside([x, y], curve) {
    let within = false;
    for (let i = 0, j = curve.length - 1; i < curve.length; j = i++) {
      const [[a, b], [c, d]] = [curve[i], curve[j]];
      if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) within = !within;
    }
    return within;
  }

  /* Images of a point source. */
  function countImages(lens, place) {
    const { caustic, cut } = curves(lens);
    return 1 + Number(inside(place, cut)) + 2 * Number(inside(place, caustic));
  }

  /* Surface brightness of an exponential disc, 1 in its centre. */
  const disc = (source, x, y) =>
    Math.exp((-1.678 * Math.hypot(x - source.x, y - source.y)) / source.size);

  /* Light on a grid of n x n points: what shows at the source, and what is seen. */
  function picture(lens, source, lensed, n = SIDE) {
    const step = (2 * HALF) / n;
    const values = new Float32Array(n * n);
    for (let row = 0; row < n; row++) {
      const y = HALF - (row + 0.5) * step;
      for (let column = 0; column < n; column++) {
        const x = (column + 0.5) * step - HALF;
        values[row * n + column] = disc(source, ...(lensed ? trace(lens, x, y) : [x, y]));
      }
    }
    return values;
  }

  /* Total light with the lens over that without, both summed on the grid. */
  function magnification(lens, source) {
    const total = (lensed) => picture(lens, source, lensed).reduce((sum, value) => sum + value, 0);
    return total(true) / total(false);
  }

  return { HALF, SIDE, STRETCH, trace, curves, countImages, picture, magnification };
})();

(() => {
  const { HALF, SIDE, STRETCH } = playLens;
  const SLIDERS = {
    radius: ["Einstein radius", 0.3, 2, 0.05, "″"],
    ratio: ["axis ratio of the mass", 0.4, 1, 0.05, ""],
    shear: ["shear", 0, 0.25, 0.01, ""],
    x: ["source, to the right", -1.2, 1.2, 0.02, "″"],
    y: ["source, upwards", -1.2, 1.2, 0.02, "″"],
    size: ["size of the source", 0.04, 0.5, 0.02, "″"],
  };
  const START = { radius: 1.5, ratio: 0.75, shear: 0, x: 0.18, y: -0.1, size: 0.2 };
  const EXAMPLES = {
    "as above": START,
    ring: { ratio: 1, shear: 0, x: 0, y: 0 },
    cross: { ratio: 0.7, shear: 0.05, x: 0, y: 0, size: 0.1 },
    "two images": { ratio: 0.9, shear: 0, x: 0.7, y: -0.3, size: 0.12 },
    "long arc": { ratio: 0.7, shear: 0.03, x: 0.28, y: -0.16, size: 0.12 },
    "not lensed": { x: 1.2, y: -1.2, radius: 0.5, size: 0.2 },
  };
  // of the ellipse, radians: the page's example, whose y axis points down
  const ANGLE = -0.5;
  const SHEAR_ANGLE = 1.2;

  const make = (parent, tag, properties = {}) =>
    parent.appendChild(Object.assign(document.createElement(tag), properties));

  function paint(canvas, values, lines, galaxy) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(SIDE, SIDE);
    const top = Math.asinh(STRETCH);
    values.forEach((value, k) => {
      const blue = Math.asinh(STRETCH * value) / top;
      const row = Math.floor(k / SIDE);
      const [x, y] = [k - row * SIDE, row].map((n) => ((n + 0.5) / SIDE - 0.5) * 2 * HALF);
      const red = galaxy ? Math.asinh(STRETCH * Math.exp(-3.2 * Math.hypot(x, y))) / top : 0;
      image.data[4 * k] = 255 * Math.min(1, 0.45 * blue + red);
      image.data[4 * k + 1] = 255 * Math.min(1, 0.75 * blue + 0.7 * red);
      image.data[4 * k + 2] = 255 * Math.min(1, blue + 0.35 * red);
      image.data[4 * k + 3] = 255;
    });
    context.putImageData(image, 0, 0);
    for (const [curve, dashes] of lines) {
      context.setLineDash(dashes);
      context.strokeStyle = "#ffb000";
      context.beginPath();
      const scale = SIDE / (2 * HALF);
      for (const [x, y] of [...curve, curve[0]])
        context.lineTo((x + HALF) * scale, (HALF - y) * scale);
      context.stroke();
    }
  }

  function build(root) {
    const state = { ...START };
    const panels = make(root, "div", { className: "play-panels" });
    const [behind, sky] = ["the source behind", "what is seen"].map((title) => {
      const figure = make(panels, "figure");
      const canvas = make(figure, "canvas", { width: SIDE, height: SIDE });
      canvas.setAttribute("role", "img");
      make(figure, "figcaption", { textContent: title });
      return canvas;
    });
    const summary = make(root, "p", { className: "play-summary" });
    summary.setAttribute("aria-live", "polite");
    const board = make(root, "div", { className: "play-sliders" });
    const inputs = {};
    for (const [name, [label, min, max, step, unit]] of Object.entries(SLIDERS)) {
      const row = make(board, "label");
      make(row, "span", { textContent: label });
      const input = make(row, "input", { type: "range", min, max, step, value: state[name] });
      const output = make(row, "output");
      inputs[name] = [input, output, unit];
      input.addEventListener("input", () => set({ [name]: Number(input.value) }));
    }
    const row = make(board, "label");
    const galaxy = make(row, "input", { type: "checkbox", checked: true });
    make(row, "span", { textContent: "show the lens galaxy" });
    galaxy.addEventListener("change", draw);
    const buttons = make(root, "div", { className: "play-buttons" });
    for (const [name, values] of Object.entries(EXAMPLES))
      make(buttons, "button", { type: "button", textContent: name }).addEventListener(
        "click", () => set({ ...START, ...values }));

    const move = (event) => {
      const box = behind.getBoundingClientRect();
      const at = (value, name) =>
        Math.min(SLIDERS[name][2], Math.max(SLIDERS[name][1], value));
      set({
        x: at(((event.clientX - box.left) / box.width - 0.5) * 2 * HALF, "x"),
        y: at((0.5 - (event.clientY - box.top) / box.height) * 2 * HALF, "y"),
      });
    };
    behind.addEventListener("pointerdown", (event) => {
      behind.setPointerCapture(event.pointerId);
      move(event);
    });
    behind.addEventListener("pointermove", (event) => event.buttons && move(event));

    function set(changes) {
      Object.assign(state, changes);
      draw();
    }

    function draw() {
      const lens = {
        radius: state.radius, ratio: state.ratio, angle: ANGLE,
        shear: state.shear, shearAngle: SHEAR_ANGLE,
      };
      const { critical, caustic, cut } = playLens.curves(lens);
      paint(behind, playLens.picture(lens, state, false), [[caustic, []], [cut, [4, 3]]], false);
      paint(sky, playLens.picture(lens, state, true), [[critical, []]], galaxy.checked);
      for (const [name, [input, output, unit]] of Object.entries(inputs)) {
        input.value = state[name];
        output.textContent = `${state[name].toFixed(2)}${unit}`;
      }
      const n = playLens.countImages(lens, [state.x, state.y]);
      const times = playLens.magnification(lens, state).toFixed(1);
      const images = n === 1 ? "one image" : `${["two", "three", "four"][n - 2]} images`;
      summary.textContent =
        `The centre of the source has ${images}; its light is magnified ${times} times.`;
      behind.setAttribute(
        "aria-label",
        `Source ${state.x.toFixed(2)} arcsec right and ${state.y.toFixed(2)} up, with the caustics`);
      sky.setAttribute("aria-label", `Lensed light with the critical curve. ${summary.textContent}`);
    }
    draw();
  }

  const start = () => document.querySelectorAll(".play-lens").forEach(build);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
