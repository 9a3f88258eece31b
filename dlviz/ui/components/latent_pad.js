// A latent space as a map with a point to drag. The decoder runs here, so that the picture follows the pointer; when
// the point is let go the server decodes the same place, and its picture takes the preview's place.

const SIDE = 28;

// ---------------------------------------------------------------------------------------------------------
// The decoder. No page here: the tests run these functions beside PyTorch.

/** Half-precision numbers (as bytes, little endian) in single precision. */
export function fromHalf(bytes) {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return Float32Array.from(halves, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/** A network from its block of bytes: layers in order, each with what it writes into. */
export function network(bytes) {
  const { header, arrays } = decode(bytes);
  let before = [header.latent];
  const layers = header.layers.map((layer, i) => {
    const numbers = (name) => (arrays[name + i] ? fromHalf(arrays[name + i].data) : new Float32Array(0));
    const made = { ...layer, from: before, weight: numbers("weight"), bias: numbers("bias") };
    before = layer.shape;
    return { ...made, output: new Float32Array(layer.shape.reduce((a, b) => a * b, 1)) };
  });
  return { latent: header.latent, layers };
}

const LAYERS = {
  /** y = W x + b. */
  linear(x, { weight, bias, output }) {
    const width = x.length;
    for (let row = 0; row < output.length; row++) {
      let sum = bias.length ? bias[row] : 0;
      for (let column = 0, at = row * width; column < width; column++, at++) sum += weight[at] * x[column];
      output[row] = sum;
    }
  },

  /** x / (1 + e^-x). */
  silu(x, { output }) {
    for (let i = 0; i < x.length; i++) output[i] = x[i] / (1 + Math.exp(-x[i]));
  },

  /** The same numbers, read as channels of a map. */
  unflatten(x, { output }) {
    output.set(x);
  },

  /** Each input adds the kernel, times itself, onto a map that is `stride` times as large, less the padding. */
  deconvolution(x, { weight, bias, output, from, shape, stride, padding, weight_shape }) {
    const [inputs, high, wide] = from;
    const [channels, height, width] = shape;
    const kernel = weight_shape[3];
    for (let c = 0; c < channels; c++) output.fill(bias.length ? bias[c] : 0, c * height * width, (c + 1) * height * width);
    for (let input = 0; input < inputs; input++) {
      for (let c = 0; c < channels; c++) {
        const first = (input * channels + c) * kernel * kernel;
        for (let row = 0; row < high; row++) {
          for (let ky = 0; ky < kernel; ky++) {
            const y = row * stride + ky - padding;
            if (y < 0 || y >= height) continue;
            const line = (c * height + y) * width;
            for (let column = 0; column < wide; column++) {
              const value = x[(input * high + row) * wide + column];
              const left = column * stride - padding;
              for (let kx = Math.max(0, -left); kx < kernel && left + kx < width; kx++) {
                output[line + left + kx] += value * weight[first + ky * kernel + kx];
              }
            }
          }
        }
      }
    }
  },
};

/** The picture at `z`: one probability a pixel, in reading order. */
export function picture({ layers }, z) {
  let x = Float32Array.from(z);
  for (const layer of layers) {
    LAYERS[layer.kind](x, layer);
    x = layer.output;
  }
  return x.map((logit) => 1 / (1 + Math.exp(-logit)));
}

// ---------------------------------------------------------------------------------------------------------
// Places, ticks, paths.

/** About `count` round numbers between two others. */
export function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((unit) => unit * power >= 0.7 * rough) ?? 10);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + 1e-9; i++) found.push(i * step + 0); // + 0: no -0 among them
  return found;
}

/** At most `most` of some steps, the first and the last among them. */
export function thin(steps, most) {
  if (steps.length <= most) return steps;
  return Array.from({ length: most }, (_, i) => steps[Math.round((i * (steps.length - 1)) / (most - 1))]);
}

const rounded = (z) => z.map((x) => Math.round(x * 1e4) / 1e4 + 0);
const nearby = (a, b) => a && b && Math.abs(a[0] - b[0]) < 1e-9 && Math.abs(a[1] - b[1]) < 1e-9;
const MARGIN = { left: 46, right: 10, top: 10, bottom: 40 };
const MOST_STEPS = 400;
const KEY_REST = 400; // ms without a key until the server hears of it

const ICONS = {
  undo: "M9 6L4 11l5 5M4 11h10a5 5 0 010 10h-3", home: "M4 12l8-8 8 8M6 10v10h12V10", replay: "M7 4l13 8-13 8z", stop: "M6 6h12v12H6z",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// ---------------------------------------------------------------------------------------------------------
// The page.

class Pad {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.map = this.find("map");
    this.handle = this.find("handle");
    this.hidden = new Set();
    this.walks = [];
    this.frames = { count: 0, decoding: 0 };
    this.listen();
  }

  receive({ data, setStateValue }) {
    const first = !this.data;
    this.tell = setStateValue;
    const moved = first || data.turn !== this.data.turn;
    this.data = data;
    if (moved) {
      this.stop();
      this.z = data.z;
      this.walks = data.walk.length > 1 ? [data.walk] : [];
    }
    this.label();
    this.fetch("map", data.map, (bytes) => this.place(decode(bytes).arrays));
    this.fetch("decoder", data.decoder, (bytes) => {
      this.network = network(bytes);
      this.decoded = null;
    });
    this.fetch("background", data.background?.digest, (bytes) => this.backdrop(decode(bytes).arrays.pixels));
    this.show();
  }

  /** Take a block from the depot, unless it is the one that is here. */
  fetch(name, digest, take) {
    this.have ??= {};
    if (this.have[name] === digest) return;
    this.have[name] = digest;
    if (name === "background") this.ground = null;
    if (name === "decoder") this.network = null;
    if (!digest) return;
    collect(digest, (bytes) => {
      if (this.have[name] !== digest) return;
      take(bytes);
      this.show();
    });
  }

  place({ points, labels }) {
    this.points = points.data;
    this.labels = labels.data;
    this.middles = this.data.classes.map((_, label) => this.middle(label));
  }

  /** Where the name of a class stands: the median of its points. */
  middle(label) {
    const own = [...this.labels.keys()].filter((i) => this.labels[i] === label);
    const median = (k) => own.map((i) => this.points[2 * i + k]).sort((a, b) => a - b)[own.length >> 1];
    return own.length ? [median(0), median(1)] : null;
  }

  backdrop({ data, shape: [height, width, colours] }) {
    this.ground = canvasOf(width, height, (i) => (colours ? data.subarray(colours * i, colours * i + 3) : [data[i], data[i], data[i]]));
  }

  // ---- words

  label() {
    const { words, lang, title, classes, height, axes } = this.data;
    this.number = new Intl.NumberFormat(lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    const short = new Intl.NumberFormat(lang, { maximumSignificantDigits: 3 });
    this.short = (value) => short.format(value).replace("-", "\u2212");
    this.root.lang = lang;
    this.root.style.setProperty("--height", `${height}rem`);
    this.find("title").textContent = title;
    this.find("hint").textContent = words.hint;
    this.handle.setAttribute("aria-label", `${words.handle} (${axes.join(", ")})`);
    this.name("undo", "undo");
    this.name("home", "home");
    this.name("replay", this.replaying ? "stop" : "replay");
    this.legend(classes, words);
  }

  name(button, word) {
    const node = this.find(button);
    node.title = this.data.words[word];
    node.setAttribute("aria-label", this.data.words[word]);
    node.replaceChildren(icon(word));
  }

  legend(classes, words) {
    const chip = (text, colour, pressed, act) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "chip";
      button.setAttribute("aria-pressed", String(pressed));
      const dot = document.createElement("i");
      if (colour) dot.style.background = colour;
      button.append(...(colour ? [dot, text] : [text]));
      button.onclick = act;
      return button;
    };
    const box = this.find("legend");
    box.setAttribute("aria-label", words.legend);
    const focused = [...box.children].indexOf(this.root.getRootNode().activeElement);
    box.replaceChildren(
      ...classes.map((name, i) => chip(name, this.colour(i), !this.hidden.has(i), () => this.filter(i))),
      chip(words.all, null, !this.hidden.size, () => this.filter(-1)),
    );
    if (focused >= 0) box.children[focused]?.focus();
  }

  colour(label) {
    return label < 0 ? getComputedStyle(this.root).color : this.data.colours[label % this.data.colours.length];
  }

  /** From all classes a click leaves one; then each click adds or takes one; none left means all. */
  filter(label) {
    const every = this.data.classes.map((_, i) => i);
    if (label < 0) this.hidden.clear();
    else if (!this.hidden.size) this.hidden = new Set(every.filter((i) => i !== label));
    else if (this.hidden.has(label)) this.hidden.delete(label);
    else this.hidden.add(label);
    if (this.hidden.size === every.length) this.hidden.clear();
    this.label();
    this.show();
  }

  // ---- geometry

  measure() {
    const [left, right, bottom, top] = this.data.extent;
    const box = { width: this.map.clientWidth, height: this.map.clientHeight };
    const wide = box.width - MARGIN.left - MARGIN.right;
    const high = box.height - MARGIN.top - MARGIN.bottom;
    const sx = wide / (right - left);
    const sy = high / (top - bottom);
    this.box = { ...box, wide, high, sx, sy };
    this.x = (value) => MARGIN.left + (value - left) * sx;
    this.y = (value) => MARGIN.top + (top - value) * sy;
    this.back = (px, py) => [left + (px - MARGIN.left) / sx, top - (py - MARGIN.top) / sy];
    return wide > 20 && high > 20;
  }

  /** A canvas in the pixels of the screen, empty. */
  context(name) {
    const canvas = this.find(name);
    const scale = window.devicePixelRatio || 1;
    const size = [Math.round(this.box.width * scale), Math.round(this.box.height * scale)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.box.width, this.box.height);
    return context;
  }

  // ---- drawing

  show() {
    cancelAnimationFrame(this.showing);
    this.showing = requestAnimationFrame(() => {
      const style = getComputedStyle(this.root);
      this.theme = { text: style.color, paper: style.getPropertyValue("--st-background-color"),
        line: style.getPropertyValue("--st-border-color"), accent: style.getPropertyValue("--st-primary-color"), font: style.fontFamily };
      if (!this.measure()) return;
      this.drawGround();
      this.drawOver();
    });
  }

  drawGround() {
    const context = this.context("ground");
    const { wide, high } = this.box;
    this.drawAxes(context);
    context.save();
    context.beginPath();
    context.rect(MARGIN.left, MARGIN.top, wide, high);
    context.clip();
    if (this.ground && this.data.background) {
      const [left, right, bottom, top] = this.data.background.extent;
      context.drawImage(this.ground, this.x(left), this.y(top), this.x(right) - this.x(left), this.y(bottom) - this.y(top));
    }
    if (this.points) this.drawPoints(context);
    context.restore();
    context.strokeStyle = this.theme.line;
    context.strokeRect(MARGIN.left, MARGIN.top, wide, high);
  }

  drawAxes(context) {
    const [left, right, bottom, top] = this.data.extent;
    const { wide, high } = this.box;
    Object.assign(context, { fillStyle: this.theme.text, strokeStyle: this.theme.line, lineWidth: 1, font: `13px ${this.theme.font}` });
    context.textAlign = "center";
    context.textBaseline = "top";
    const line = (...ends) => {
      context.beginPath();
      context.moveTo(ends[0], ends[1]);
      context.lineTo(ends[2], ends[3]);
      context.stroke();
    };
    for (const value of ticks(left, right, Math.max(3, wide / 90))) {
      line(this.x(value), MARGIN.top, this.x(value), MARGIN.top + high);
      context.fillText(this.short(value), this.x(value), MARGIN.top + high + 5);
    }
    context.fillText(this.data.axes[0], MARGIN.left + wide / 2, MARGIN.top + high + 21);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of ticks(bottom, top, Math.max(3, high / 70))) {
      line(MARGIN.left, this.y(value), MARGIN.left + wide, this.y(value));
      context.fillText(this.short(value), MARGIN.left - 6, this.y(value));
    }
    context.textAlign = "left";
    context.fillText(this.data.axes[1], 1, MARGIN.top + high / 2 - 14);
  }

  drawPoints(context) {
    const radius = this.points.length > 4000 ? 2.2 : 3.2;
    context.globalAlpha = 0.62;
    for (const label of new Set(this.labels)) {
      if (this.hidden.has(label)) continue;
      context.fillStyle = this.colour(label);
      context.beginPath();
      for (let i = 0; i < this.labels.length; i++) {
        if (this.labels[i] !== label) continue;
        const [x, y] = [this.x(this.points[2 * i]), this.y(this.points[2 * i + 1])];
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 7);
      }
      context.fill();
    }
    context.globalAlpha = 1;
    this.middles.forEach((middle, label) => {
      if (middle && !this.hidden.has(label)) this.write(context, this.data.classes[label], this.x(middle[0]), this.y(middle[1]), 16);
    });
  }

  /** Text that stays readable on any ground. */
  write(context, text, x, y, size) {
    Object.assign(context, { font: `650 ${size}px ${this.theme.font}`, textAlign: "center", textBaseline: "middle",
      strokeStyle: this.theme.paper, lineWidth: 4, lineJoin: "round", fillStyle: this.theme.text });
    const half = context.measureText(text).width / 2;
    const inside = Math.min(Math.max(x, MARGIN.left + half + 3), MARGIN.left + this.box.wide - half - 3);
    context.strokeText(text, inside, y);
    context.fillText(text, inside, y);
  }

  drawOver() {
    const context = this.context("over");
    context.save();
    context.beginPath();
    context.rect(MARGIN.left, MARGIN.top, this.box.wide, this.box.high);
    context.clip();
    if (this.data.posterior) this.drawPosterior(context, this.data.posterior);
    this.drawWalk(context);
    this.drawPointed(context);
    context.restore();
    const far = (x, low, size) => Math.min(Math.max(x, low), low + size);
    this.handle.style.left = `${far(this.x(this.z[0]), MARGIN.left, this.box.wide)}px`;
    this.handle.style.top = `${far(this.y(this.z[1]), MARGIN.top, this.box.high)}px`;
    const written = this.z.map((x) => this.number.format(x).replace("-", "\u2212"));
    this.handle.setAttribute("aria-valuenow", this.z[0].toFixed(2));
    this.handle.setAttribute("aria-valuetext", `z = (${written.join("; ")})`);
    this.find("z").textContent = `z = (${written.join("; ")})`;
    this.root.dataset.z = this.z.join(",");
    this.drawPicture();
    const steps = this.steps();
    this.find("walked").textContent = steps.length ? say(this.data.words.walked, { count: steps.length }) : "";
    for (const button of ["undo", "home", "replay"]) this.find(button).disabled = !this.walks.length;
  }

  drawPosterior(context, { mean, sigma, samples, name }) {
    const [x, y] = [this.x(mean[0]), this.y(mean[1])];
    const round = (colour, width) => {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      for (const times of [1, 2]) {
        context.setLineDash(times === 2 ? [7, 4] : []);
        context.beginPath();
        context.ellipse(x, y, Math.max(0.5, times * sigma[0] * this.box.sx), Math.max(0.5, times * sigma[1] * this.box.sy), 0, 0, 7);
        context.stroke();
      }
      context.setLineDash([]);
      context.beginPath();
      for (const [a, b] of samples) {
        const [px, py] = [this.x(a), this.y(b)];
        context.moveTo(px - 3, py - 3);
        context.lineTo(px + 3, py + 3);
        context.moveTo(px - 3, py + 3);
        context.lineTo(px + 3, py - 3);
      }
      context.moveTo(x - 6, y);
      context.lineTo(x + 6, y);
      context.moveTo(x, y - 6);
      context.lineTo(x, y + 6);
      context.stroke();
    };
    round(this.theme.paper, 4.5);
    round(this.theme.text, 1.7);
    if (name) this.write(context, name, x, y - Math.max(16, 2 * sigma[1] * this.box.sy + 12), 14);
  }

  drawWalk(context) {
    const trace = (steps, colour, width) => {
      Object.assign(context, { strokeStyle: colour, lineWidth: width, lineJoin: "round", lineCap: "round" });
      context.beginPath();
      steps.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](this.x(x), this.y(y)));
      context.stroke();
    };
    const steps = this.steps();
    if (steps.length < 2) return;
    trace(steps, this.theme.paper, 5);
    trace(steps, this.theme.accent, 2.5);
    const [x, y] = steps[0];
    Object.assign(context, { fillStyle: this.theme.accent });
    context.beginPath();
    context.arc(this.x(x), this.y(y), 5, 0, 7);
    context.fill();
  }

  drawPointed(context) {
    if (this.pointed === undefined || this.pointed < 0) return;
    const i = this.pointed;
    Object.assign(context, { strokeStyle: this.theme.text, lineWidth: 2 });
    context.beginPath();
    context.arc(this.x(this.points[2 * i]), this.y(this.points[2 * i + 1]), 6, 0, 7);
    context.stroke();
  }

  /** The picture at z: the server's, where it has sent one for this place, else our own. */
  drawPicture() {
    const { words, exact, z } = this.data;
    const isExact = Boolean(exact) && nearby(this.z, z);
    const said = isExact ? words.exact : this.network ? words.preview : words.waiting;
    this.find("state").textContent = said;
    this.root.dataset.state = isExact ? "exact" : this.network ? "preview" : "waiting";
    this.find("picture").setAttribute("aria-label", `${words.picture}. ${said}`);
    if (isExact) {
      const bytes = Uint8Array.from(atob(exact), (letter) => letter.charCodeAt(0));
      this.paint("picture", (i) => bytes[i]);
    } else if (this.network) {
      const grey = this.decode(this.z);
      this.paint("picture", (i) => Math.round(255 * grey[i]));
    }
  }

  decode([x, y]) {
    const { plane } = this.data;
    const z = plane ? plane[0].map((start, k) => start + x * plane[1][0][k] + y * plane[1][1][k]) : [x, y];
    const started = performance.now();
    const grey = picture(this.network, z);
    this.frames.count += 1;
    this.frames.decoding += performance.now() - started;
    Object.assign(this.root.dataset, { frames: this.frames.count, decoding: (this.frames.decoding / this.frames.count).toFixed(3) });
    return grey;
  }

  paint(name, grey) {
    const context = this.find(name).getContext("2d");
    const image = context.createImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) image.data.set([grey(i), grey(i), grey(i), 255], 4 * i);
    context.putImageData(image, 0, 0);
  }

  // ---- moving

  listen() {
    const { map, handle } = this;
    map.addEventListener("pointerdown", (event) => this.down(event));
    map.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) map.addEventListener(end, (event) => this.up(event));
    map.addEventListener("pointerleave", () => this.point(-1));
    map.addEventListener("click", (event) => this.tap(event));
    handle.addEventListener("keydown", (event) => this.key(event));
    handle.addEventListener("blur", () => this.endKeys());
    this.find("undo").onclick = () => this.undo(1);
    this.find("home").onclick = () => this.undo(this.walks.length);
    this.find("replay").onclick = () => (this.replaying ? this.stop() : this.replay());
    this.observer = new ResizeObserver(() => this.data && this.show());
    this.observer.observe(map);
  }

  at(event) {
    const box = this.map.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  inside([x, y]) {
    return x >= MARGIN.left && x <= MARGIN.left + this.box.wide && y >= MARGIN.top && y <= MARGIN.top + this.box.high;
  }

  clamped(pixels) {
    const [left, right, bottom, top] = this.data.extent;
    const [x, y] = this.back(...pixels);
    return rounded([Math.min(Math.max(x, left), right), Math.min(Math.max(y, bottom), top)]);
  }

  /** A mouse takes the point from anywhere; a finger must begin on the point, or it scrolls the page. */
  down(event) {
    if (!event.isPrimary || event.button !== 0 || !this.box) return;
    const onHandle = event.composedPath().includes(this.handle);
    if (!onHandle && (event.pointerType === "touch" || !this.inside(this.at(event)))) return;
    event.preventDefault();
    this.handle.focus({ preventScroll: true });
    this.endKeys();
    this.stop();
    this.point(-1);
    this.map.setPointerCapture(event.pointerId);
    const [x, y] = this.at(event);
    this.drag = { id: event.pointerId, dx: onHandle ? this.x(this.z[0]) - x : 0, dy: onHandle ? this.y(this.z[1]) - y : 0 };
    this.walks.push([this.z]);
    if (!onHandle) this.follow(event);
  }

  move(event) {
    if (this.drag?.id === event.pointerId) this.follow(event);
    else if (!this.drag && event.pointerType === "mouse" && this.box) this.point(this.nearest(this.at(event)));
  }

  follow(event) {
    const [x, y] = this.at(event);
    this.step(this.clamped([x + this.drag.dx, y + this.drag.dy]));
  }

  up(event) {
    if (this.drag?.id !== event.pointerId) return;
    this.drag = null;
    this.finish();
  }

  /** A finger's tap beside the point; with a mouse, pressing has moved it already. */
  tap(event) {
    if (event.pointerType !== "touch" || !this.box || !this.inside(this.at(event))) return;
    if (event.composedPath().includes(this.handle)) return;
    this.stop();
    this.walks.push([this.z]);
    this.step(this.clamped(this.at(event)));
    this.finish();
  }

  /** One step of the walk; it is drawn with the next frame, however many come before it. */
  step(z) {
    if (nearby(z, this.z)) return;
    this.z = z;
    this.pending ??= requestAnimationFrame(() => {
      this.pending = null;
      const walk = this.walks[this.walks.length - 1];
      if (walk && !this.replaying && !nearby(walk[walk.length - 1], this.z)) walk.push(this.z);
      this.drawOver();
    });
  }

  /** The point has come to rest: tell the server. */
  finish() {
    const walk = this.walks[this.walks.length - 1];
    if (walk && !nearby(walk[walk.length - 1], this.z)) walk.push(this.z);
    if (walk && walk.length < 2) {
      this.walks.pop();
      return;
    }
    this.drawOver();
    this.report();
  }

  report() {
    this.tell("place", { z: this.z, walk: thin(this.steps(), MOST_STEPS) });
  }

  /** All walks as one path. */
  steps() {
    return this.walks.flatMap((walk, i) => (i && nearby(walk[0], this.walks[i - 1][this.walks[i - 1].length - 1]) ? walk.slice(1) : walk));
  }

  undo(count) {
    if (!this.walks.length) return;
    this.stop();
    const gone = this.walks.splice(this.walks.length - count);
    this.z = gone[0][0];
    this.drawOver();
    this.report();
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const move = moves[event.key];
    if (!move || !this.box) return;
    event.preventDefault();
    this.stop();
    const [left, right, bottom, top] = this.data.extent;
    const share = event.shiftKey ? 0.002 : 0.01;
    if (!this.keying) this.walks.push([this.z]);
    clearTimeout(this.keying);
    this.keying = setTimeout(() => this.endKeys(), KEY_REST);
    const z = [this.z[0] + move[0] * share * (right - left), this.z[1] + move[1] * share * (top - bottom)];
    this.step(this.clamped([this.x(z[0]), this.y(z[1])]));
  }

  endKeys() {
    if (!this.keying) return;
    clearTimeout(this.keying);
    this.keying = null;
    this.finish();
  }

  // ---- replay

  replay() {
    const steps = this.steps();
    const length = Math.min(8000, Math.max(1500, 33 * steps.length));
    const last = this.z;
    let started = null;
    this.replaying = { last };
    this.name("replay", "stop");
    const frame = (now) => {
      if (!this.replaying || !this.root.isConnected) return;
      started ??= now;
      const share = Math.min(1, (now - started) / length);
      this.z = steps[Math.round(share * (steps.length - 1))];
      this.drawOver();
      if (share < 1) requestAnimationFrame(frame);
      else this.stop();
    };
    requestAnimationFrame(frame);
  }

  stop() {
    if (!this.replaying) return;
    this.z = this.replaying.last;
    this.replaying = null;
    this.name("replay", "replay");
    this.drawOver();
  }

  // ---- pointing

  nearest([x, y]) {
    if (!this.points || !this.inside([x, y])) return -1;
    let found = -1;
    let least = 8 ** 2;
    for (let i = 0; i < this.labels.length; i++) {
      if (this.hidden.has(this.labels[i])) continue;
      const distance = (this.x(this.points[2 * i]) - x) ** 2 + (this.y(this.points[2 * i + 1]) - y) ** 2;
      if (distance < least) [least, found] = [distance, i];
    }
    return found;
  }

  point(i) {
    if (i === (this.pointed ?? -1) || !this.box) return;
    this.pointed = i;
    const { words, classes } = this.data;
    this.find("pointed").classList.toggle("shown", i >= 0);
    if (i >= 0) {
      const name = classes[this.labels[i]];
      this.find("who").textContent = name === undefined ? words.nobody : say(words.who, { name });
      if (this.network) {
        const grey = this.decode([this.points[2 * i], this.points[2 * i + 1]]);
        this.paint("other", (k) => Math.round(255 * grey[k]));
      }
    }
    this.drawOver();
  }
}

const pads = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".pad");
  if (!pads.has(root)) pads.set(root, new Pad(root));
  pads.get(root).receive(component);
  return () => {
    pads.get(root)?.stop();
    pads.get(root)?.observer.disconnect();
    pads.delete(root);
  };
}
