// One number, explained: hover a cell of a feature map and see what it is made of. Everything that explains any
// cell of the map is here already; nothing is asked of the server while the pointer moves.

// ---------------------------------------------------------------------------------------------------------
// The arithmetic. No page here: the tests run these functions beside PyTorch.

/** The error function, to 1e-15: a series for small numbers, a continued fraction for large ones. */
function erf(x) {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 80 && Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / ((z + fraction) * Math.sqrt(Math.PI)));
}

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

const FUNCTIONS = {
  affine: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => clamp(x, 0, 6),
  hardtanh: (x, a, b) => clamp(x, a, b),
  leaky_relu: (x, a) => (x > 0 ? x : a * x),
  elu: (x, a) => (x > 0 ? x : a * Math.expm1(x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  silu: (x) => x / (1 + Math.exp(-x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  hardswish: (x) => (x * clamp(x + 3, 0, 6)) / 6,
  hardsigmoid: (x) => clamp(x + 3, 0, 6) / 6,
};

/** The number of a plane at a cell; a plane of one number holds it for all cells. */
function at(plane, row, column) {
  return plane.data.length === 1 ? plane.data[0] : plane.data[row * plane.shape[1] + column];
}

/**
 * A cell taken apart: its receptive field, its parts with their sum, and each step up to its value.
 * `value` is the network's own number, `result` what the parts give here; `difference` is rounding.
 */
export function explain([row, column], { header, arrays }) {
  const parts = PARTS[header.parts.kind](row, column, header.parts, arrays);
  let x = parts.total;
  const steps = header.follows.map((follow, i) => {
    const before = x;
    const scale = at(arrays[`scale${i}`], row, column);
    const shift = at(arrays[`shift${i}`], row, column);
    x = FUNCTIONS[follow.function](scale * x + shift, ...follow.parameters);
    return { ...follow, scale, shift, before, after: x };
  });
  const last = header.follows.length - 1;
  const value = at(last < 0 ? arrays.base : arrays[`output${last}`], row, column);
  const [top, bottom] = arrays.rows.data.subarray(2 * row, 2 * row + 2);
  const [left, right] = arrays.columns.data.subarray(2 * column, 2 * column + 2);
  return { box: [top, left, bottom, right], parts, steps, result: x, value, difference: x - value };
}

const PARTS = { window: windowParts, sum: sumParts, product: productParts, pool: poolParts, attention: attentionParts };

function windowParts(row, column, { bias, stride, padding, dilation, count }, { inputs, kernel, channels, rest }) {
  const [, height, width] = inputs.shape;
  const [shown, down, across] = kernel.shape;
  const added = [];
  let sum = 0;
  for (let c = 0; c < shown; c++) {
    let own = 0;
    for (let u = 0; u < down; u++) {
      const y = row * stride[0] - padding[0] + u * dilation[0];
      if (y < 0 || y >= height) continue;
      for (let v = 0; v < across; v++) {
        const x = column * stride[1] - padding[1] + v * dilation[1];
        if (x < 0 || x >= width) continue;
        own += inputs.data[(c * height + y) * width + x] * kernel.data[(c * down + u) * across + v];
      }
    }
    sum += own;
    added.push({ index: c, channel: channels.data[c], sum: own });
  }
  added.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
  const others = rest ? at(rest, row, column) : 0;
  return { kind: "window", added, bias, others, unsent: count - shown, sum, total: sum + others + bias };
}

/** One input channel's window, kernel and products at a cell; null where the window lies in the padding. */
export function windowOf([row, column], index, { header, arrays }) {
  const { stride, padding, dilation } = header.parts;
  const [, height, width] = arrays.inputs.shape;
  const [, down, across] = arrays.kernel.shape;
  const window = [];
  const weights = [];
  for (let u = 0; u < down; u++) {
    for (let v = 0; v < across; v++) {
      const y = row * stride[0] - padding[0] + u * dilation[0];
      const x = column * stride[1] - padding[1] + v * dilation[1];
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      window.push(inside ? arrays.inputs.data[(index * height + y) * width + x] : null);
      weights.push(arrays.kernel.data[(index * down + u) * across + v]);
    }
  }
  const products = window.map((value, i) => (value === null ? null : value * weights[i]));
  return { down, across, window, weights, products };
}

function planes(stack, row, column) {
  const [count, height, width] = stack.shape;
  return Array.from({ length: count }, (_, i) => stack.data[(i * height + row) * width + column]);
}

function sumParts(row, column, { names }, { terms }) {
  const values = planes(terms, row, column);
  return { kind: "sum", names, values, total: values.reduce((a, b) => a + b, 0) };
}

function productParts(row, column, { names }, { factors }) {
  const values = planes(factors, row, column);
  return { kind: "product", names, values, total: values.reduce((a, b) => a * b, 1) };
}

function poolParts(row, column, { maximum, step }, { inputs, divisor, window_rows, window_columns }) {
  const [top, bottom] = window_rows.data.subarray(2 * row, 2 * row + 2);
  const [left, right] = window_columns.data.subarray(2 * column, 2 * column + 2);
  const window = [];
  let across = 0;
  for (let y = top; y < bottom; y += step[0]) {
    across = 0;
    for (let x = left; x < right; x += step[1], across++) window.push(inputs.data[y * inputs.shape[1] + x]);
  }
  const divide = at(divisor, row, column);
  const sum = window.reduce((a, b) => a + b, 0);
  const total = maximum ? Math.max(...window) : sum / divide;
  return { kind: "pool", maximum, window, across, down: window.length / across, divisor: divide, sum, total };
}

function attentionParts(row, column, { bias, prefix }, { weights, values, base }) {
  const [heads, queries, keys] = weights.shape;
  const cell = row * base.shape[1] + column;
  const byHead = [];
  const byToken = new Float64Array(keys);
  for (let h = 0; h < heads; h++) {
    let own = 0;
    let strongest = 0;
    for (let t = 0; t < keys; t++) {
      const weight = weights.data[(h * queries + cell) * keys + t];
      if (weight > weights.data[(h * queries + cell) * keys + strongest]) strongest = t;
      own += weight * values.data[h * keys + t];
      byToken[t] += weight * values.data[h * keys + t];
    }
    const peak = weights.data[(h * queries + cell) * keys + strongest];
    byHead.push({ head: h, sum: own, token: strongest, weight: peak });
  }
  byHead.sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
  const sum = byHead.reduce((a, b) => a + b.sum, 0);
  return { kind: "attention", byHead, byToken, prefix, bias, sum, total: sum + bias };
}

// ---------------------------------------------------------------------------------------------------------
// Colours and numbers.

/** From a value to its place on the palette: around zero for signed values, else from zero up. */
function scaleOf(values) {
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const signed = low < -0.1 * Math.max(high, -low, 1e-12);
  const most = Math.max(high, -low, 1e-12);
  const place = signed ? (x) => 127.5 + (127.5 * x) / most : (x) => (255 * x) / Math.max(high, 1e-12);
  return { signed, low: signed ? -most : 0, high: signed ? most : high, place };
}

function ink([r, g, b]) {
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
}

/** Numbers in the visitor's language, with decimals that fit the size of the map's values. */
function writer(lang, size) {
  const decimals = clamp(3 - Math.floor(Math.log10(Math.max(size, 1e-6))), 0, 7);
  const fixed = new Intl.NumberFormat(lang, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    signDisplay: "negative",
  });
  const small = new Map();
  const short = (x) => {
    const digits = x === 0 ? 0 : clamp(1 - Math.floor(Math.log10(Math.abs(x))), 0, 3);
    if (!small.has(digits)) {
      small.set(digits, new Intl.NumberFormat(lang, { maximumFractionDigits: digits, signDisplay: "negative" }));
    }
    return small.get(digits).format(x);
  };
  const factor = new Intl.NumberFormat(lang, { maximumSignificantDigits: 4, signDisplay: "negative" });
  const science = new Intl.NumberFormat(lang, { notation: "scientific", maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(lang, { style: "percent", maximumFractionDigits: 0 });
  const signed = (x) => (x < 0 ? "− " : "+ ") + fixed.format(Math.abs(x));
  const minus = (text) => text.replace("-", "−");
  return {
    number: (x) => minus(fixed.format(x)),
    signed,
    short: (x) => minus(short(x)),
    factor: (x) => minus(factor.format(x)),
    science: (x) => minus(science.format(x)),
    percent: (x) => percent.format(x),
  };
}

// ---------------------------------------------------------------------------------------------------------
// The page.

const TOP = 3; // channels shown with all their numbers

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

class Explorer {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.photo = this.find("photo");
    this.map = this.find("map");
    this.opacity = this.find("opacity input");
    this.pending = 0;
    this.listen();
  }

  show(bytes, setStateValue) {
    this.setStateValue = setStateValue;
    if (same(this.bytes, bytes)) return;
    this.bytes = bytes;
    this.payload = decode(bytes);
    const { header, arrays } = this.payload;
    [this.height, this.width] = arrays.base.shape;
    this.values = header.follows.length ? arrays[`output${header.follows.length - 1}`].data : arrays.base.data;
    this.scale = scaleOf(this.values);
    this.lut = colours(header.palette[this.scale.signed ? "diverging" : "sequential"]);
    this.diverging = colours(header.palette.diverging);
    this.write = writer(header.lang, this.values.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
    this.pinned = this.within(header.cell);
    this.cell = this.pinned ?? this.strongest();
    this.root.lang = header.lang;
    this.paint();
    this.label();
    this.update();
  }

  within(cell) {
    const inside = cell && cell[0] >= 0 && cell[1] >= 0 && cell[0] < this.height && cell[1] < this.width;
    return inside ? [...cell] : null;
  }

  strongest() {
    let best = 0;
    this.values.forEach((value, i) => (Math.abs(value) > Math.abs(this.values[best]) ? (best = i) : 0));
    return [Math.floor(best / this.width), best % this.width];
  }

  label() {
    const { words, layer, channel } = this.payload.header;
    this.find("photo-title").textContent = words.photo;
    this.find("map-title").textContent = say(words.map, { layer, channel });
    this.find("opacity span").textContent = words.opacity;
    this.find("hint").textContent = words.hint;
    this.map.setAttribute("aria-label", `${say(words.map, { layer, channel })}. ${words.hint}`);
    this.photo.setAttribute("aria-label", words.photo);
    this.find("low").textContent = this.write.number(this.scale.low);
    this.find("high").textContent = this.write.number(this.scale.high);
    const stops = [0, 64, 128, 191, 255].map((i) => `rgb(${this.lut[i]})`);
    this.find("ramp").style.background = `linear-gradient(to right, ${stops})`;
  }

  /** The photo and the map as pictures, once. */
  paint() {
    const { picture } = this.payload.arrays;
    this.picture = canvasOf(picture.shape[1], picture.shape[0], (i) => picture.data.subarray(3 * i, 3 * i + 3));
    const colour = (i) => this.lut[clamp(Math.round(this.scale.place(this.values[i])), 0, 255)];
    this.mapPicture = canvasOf(this.width, this.height, colour);
  }

  listen() {
    this.map.addEventListener("pointermove", (event) => this.point(event));
    this.map.addEventListener("pointerdown", (event) => {
      this.point(event, true);
      this.map.focus({ preventScroll: true });
    });
    this.map.addEventListener("click", (event) => this.pin(this.cellAt(event)));
    this.map.addEventListener("pointerleave", () => this.pinned && this.go(this.pinned));
    this.map.addEventListener("keydown", (event) => this.key(event));
    this.opacity.addEventListener("input", () => this.refresh());
    this.observer = new ResizeObserver(() => this.refresh());
    this.observer.observe(this.root);
  }

  cellAt(event) {
    const box = this.map.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.height);
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.width);
    return [clamp(row, 0, this.height - 1), clamp(column, 0, this.width - 1)];
  }

  /** With a cell pinned, the pointer passes over the others without moving away, until a press. */
  point(event, press = false) {
    if (!this.pinned || press || (event.pointerType === "touch" && event.buttons)) this.go(this.cellAt(event));
  }

  key(event) {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = event.shiftKey ? 5 : 1;
    if (moves[event.key]) {
      const [down, across] = moves[event.key];
      const row = clamp(this.cell[0] + step * down, 0, this.height - 1);
      this.go([row, clamp(this.cell[1] + step * across, 0, this.width - 1)], true);
    } else if (event.key === "Enter" || event.key === " ") {
      this.pin(this.cell);
    } else if (event.key === "Escape" && this.pinned) {
      this.pin(this.pinned);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Pin a cell, or let go of the one that is pinned; only this reaches the server. */
  pin(cell) {
    const same = this.pinned && this.pinned[0] === cell[0] && this.pinned[1] === cell[1];
    this.pinned = same ? null : [...cell];
    this.go(cell);
    const { layer, channel } = this.payload.header;
    this.setStateValue("pinned", { shown: [layer, channel], cell: this.pinned });
  }

  go(cell, aloud = false) {
    this.cell = cell;
    this.aloud = aloud;
    this.refresh();
  }

  /** At most one redraw a frame, however many events arrive. */
  refresh() {
    if (this.pending || !this.payload) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.update();
    });
  }

  update() {
    this.made = explain(this.cell, this.payload);
    this.drawMap();
    this.drawPhoto();
    this.tell();
  }

  drawMap() {
    const { context, width, height } = fit(this.map, this.width / this.height);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.mapPicture, 0, 0, width, height);
    const [row, column] = this.cell;
    const side = [width / this.width, height / this.height];
    outline(context, column * side[0], row * side[1], side[0], side[1], this.accent(), Boolean(this.pinned));
  }

  drawPhoto() {
    const [down, across] = this.payload.arrays.picture.shape;
    const { context, width, height } = fit(this.photo, across / down);
    context.imageSmoothingEnabled = width < 3 * across;
    context.drawImage(this.picture, 0, 0, width, height);
    context.globalAlpha = Number(this.opacity.value) / 100;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.overlay(), 0, 0, width, height);
    context.globalAlpha = 1;
    const [top, left, bottom, right] = this.made.box;
    const [x, y] = [width / across, height / down];
    outline(context, left * x, top * y, (right - left) * x, (bottom - top) * y, this.accent(), true);
  }

  /** What lies over the photo: the map, or for attention what each place adds to this cell. */
  overlay() {
    const { parts } = this.made;
    if (parts.kind !== "attention") return this.mapPicture;
    const tokens = parts.byToken.subarray(parts.prefix);
    const most = tokens.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-12);
    return canvasOf(this.width, this.height, (i) => this.diverging[Math.round(127.5 + (127.5 * tokens[i]) / most)]);
  }

  accent() {
    return getComputedStyle(this.root).getPropertyValue("--st-primary-color").trim() || "#1f66b0";
  }

  // --- the numbers

  tell() {
    const { header } = this.payload;
    const [row, column] = this.cell;
    const { words } = header;
    this.find("cell").textContent = say(words.cell, { row, column });
    this.find("value").textContent = this.write.number(this.made.value);
    this.find("pin").textContent = this.pinned ? words.pinned : "";
    this.flow();
    this.detail();
    const close = Math.abs(this.made.difference) <= 1e-4 * Math.max(this.scale.high, -this.scale.low);
    const values = { sum: this.write.number(this.made.result), value: this.write.number(this.made.value) };
    const check = say(close ? words.check : words.apart, {
      ...values, difference: this.write.science(this.made.difference),
    });
    this.find("check").textContent = check;
    const [top, left, bottom, right] = this.made.box;
    const sees = say(header.whole ? words.whole : words.field, { height: bottom - top, width: right - left });
    this.find("field").textContent = sees;
    if (this.aloud) this.find("live").textContent = `${say(words.cell, { row, column })}: ${values.value}`;
  }

  /** The way from the parts to the cell, one box a step. */
  flow() {
    const { words, base } = this.payload.header;
    const { parts, steps } = this.made;
    const boxes = parts.kind === "window" || parts.kind === "attention" ? this.weighted(parts, words) : [];
    if (!boxes.length) boxes.push({ title: words[TITLES[parts.kind](parts)], text: this.formula(parts) });
    boxes[boxes.length - 1].layer = base.layer;
    boxes[boxes.length - 1].result = this.write.number(parts.total);
    for (const step of steps) {
      boxes.push({ title: this.stepTitle(step), text: this.stepText(step), layer: step.layer, result: this.write.number(step.after) });
    }
    fill(this.find("flow"), boxes, () => flowBox(), (box, { title, text, result, layer }) => {
      box.children[0].textContent = title;
      box.children[1].textContent = text;
      box.children[2].textContent = result === undefined ? "" : `= ${result}`;
      box.title = layer ?? "";
    });
  }

  weighted(parts, words) {
    const title = parts.kind === "attention" ? words.heads : words.window;
    const sum = parts.kind === "attention" ? parts.sum : parts.sum + parts.others;
    const bias = { title: words.bias, text: this.write.signed(parts.bias) };
    return parts.bias ? [{ title, text: this.write.number(sum) }, bias] : [{ title, text: "" }];
  }

  formula(parts) {
    if (parts.kind === "pool" && parts.maximum) return "";
    if (parts.kind === "pool") return `${this.write.number(parts.sum)} / ${this.write.short(parts.divisor)}`;
    if (parts.kind === "product") return parts.values.map((x) => this.bracket(x)).join(" × ");
    return parts.values.map((x, i) => (i ? this.write.signed(x) : this.write.number(x))).join(" ");
  }

  bracket(x) {
    return x < 0 ? `(${this.write.number(x)})` : this.write.number(x);
  }

  stepTitle({ kind, function: name }) {
    const { words } = this.payload.header;
    return kind === "activation" ? say(words.activation, { name: NAMES[name] ?? name }) : words[kind];
  }

  stepText({ function: name, scale, shift, before }) {
    if (name !== "affine") return `${NAMES[name] ?? name}(${this.write.number(before)})`;
    return `${this.bracket(before)} × ${this.write.factor(scale)} ${shift ? this.write.signed(shift) : ""}`;
  }

  detail() {
    const { parts } = this.made;
    if (parts.kind === "window") return this.channels(parts);
    this.find("tables").replaceChildren();
    const rows = parts.kind === "attention" ? this.headRows(parts) : parts.kind === "pool" ? [] : this.termRows(parts);
    this.bars(rows);
    if (parts.kind === "pool") this.poolTable(parts);
    return undefined;
  }

  /** Terms or factors by the layer they come from. A name of the form #3 is an attention head. */
  termRows({ kind, names, values }) {
    const { words } = this.payload.header;
    const title = (name) => (/^#\d+$/.test(name) ? say(words.head, { head: name.slice(1) }) : name || words.learnt);
    return values.map((value, i) => ({ title: title(names[i]), value, factor: kind === "product" }));
  }

  headRows({ byHead, bias, prefix }) {
    const { words } = this.payload.header;
    const rows = byHead.map(({ head, sum, token, weight }) => {
      const place = token - prefix;
      const values = { row: Math.floor(place / this.width), column: place % this.width };
      const where = place < 0 ? words.class_token : say(words.place, values);
      const looks = say(words.looks, { share: this.write.percent(weight), place: where });
      return { title: say(words.head, { head: head + 1 }), note: looks, value: sum };
    });
    return [...rows, { title: words.bias, value: bias }];
  }

  channels(parts) {
    const { words, base } = this.payload.header;
    const { kernel } = this.payload.arrays;
    const single = kernel.shape[1] * kernel.shape[2] === 1;
    const fromPhoto = base.sources[0] === "" && kernel.shape[0] === 3;
    const name = ({ channel }) =>
      fromPhoto ? words.rgb[channel] : say(words.channel, { channel, layer: base.sources[0] });
    const shown = single ? 0 : Math.min(TOP, parts.added.length);
    this.tables(parts.added.slice(0, shown), name);
    const listed = parts.added.slice(shown, shown + (single ? 10 : 5));
    const rows = listed.map((one) => ({ title: name(one), note: single ? this.product(one) : "", value: one.sum }));
    const left = parts.added.slice(shown + listed.length);
    const others = left.reduce((a, b) => a + b.sum, 0) + parts.others;
    const count = left.length + parts.unsent;
    if (count) rows.push({ title: say(words.others, { count }), value: others });
    this.bars(rows);
  }

  product({ index }) {
    const { window, weights } = windowOf(this.cell, index, this.payload);
    return window[0] === null ? "" : `${this.write.short(window[0])} × ${this.write.short(weights[0])}`;
  }

  /** Input window, kernel and products of the channels that add most. */
  tables(top, name) {
    const { words } = this.payload.header;
    const shown = top.map((one) => ({ ...one, ...windowOf(this.cell, one.index, this.payload) }));
    fill(this.find("tables"), shown, channelTables, (box, one) => {
      const [title, grids] = box.children;
      title.textContent = `${name(one)} · ${words.total} ${this.write.number(one.sum)}`;
      const titles = [words.input, words.kernel, words.products];
      const results = ["×", "=", ""];
      [one.window, one.weights, one.products].forEach((numbers, i) => {
        this.grid(grids.children[i], titles[i], numbers, one.across, results[i]);
      });
    });
  }

  poolTable(parts) {
    const { words } = this.payload.header;
    const best = parts.maximum ? parts.window.indexOf(parts.total) : -1;
    fill(this.find("tables"), [parts], () => {
      const box = channelTables();
      box.lastChild.replaceChildren(numberGrid());
      return box;
    }, (box) => {
      box.children[0].textContent = "";
      this.grid(box.children[1].children[0], words.input, parts.window, parts.across, "", best);
    });
  }

  grid(box, title, numbers, across, result, best = -1) {
    const [heading, cells, foot] = box.children;
    heading.textContent = title;
    foot.textContent = result;
    cells.style.setProperty("--across", across);
    cells.classList.toggle("many", across > 3);
    const most = numbers.reduce((a, b) => Math.max(a, Math.abs(b ?? 0)), 1e-12);
    fill(cells, numbers, () => element("span"), (cell, value) => {
      const rgb = this.diverging[Math.round(127.5 + (127.5 * (value ?? 0)) / most)];
      const text = value === null ? "·" : this.write.short(value);
      if (cell.told === `${text} ${rgb}`) return; // a kernel stays the same while the pointer moves
      cell.told = `${text} ${rgb}`;
      cell.textContent = text;
      cell.style.background = value === null ? "transparent" : `rgb(${rgb})`;
      cell.style.color = value === null ? "inherit" : ink(rgb);
    });
    [...cells.children].forEach((cell, i) => cell.classList.toggle("best", i === best));
  }

  /** One line a part: its name, a bar as long as it is large, its number. */
  bars(rows) {
    const most = rows.reduce((a, b) => Math.max(a, Math.abs(b.value)), 1e-12);
    fill(this.find("bars"), rows, barRow, (row, { title, note, value, factor }) => {
      row.children[0].textContent = title;
      row.children[1].textContent = note ?? "";
      const bar = row.children[2].firstChild;
      bar.style.width = `${(50 * Math.abs(value)) / most}%`;
      bar.style.marginLeft = value < 0 ? `${50 - (50 * Math.abs(value)) / most}%` : "50%";
      bar.style.background = `rgb(${this.diverging[value < 0 ? 50 : 205]})`;
      row.children[3].textContent = factor ? this.write.number(value) : this.write.signed(value);
    });
  }
}

const TITLES = {
  sum: (parts) => (parts.values.length === 1 ? "copy" : "sum"),
  product: () => "product",
  pool: (parts) => (parts.maximum ? "maximum" : "mean"),
};
const NAMES = {
  relu: "ReLU", relu6: "ReLU6", hardtanh: "hardtanh", leaky_relu: "LeakyReLU", elu: "ELU", gelu: "GELU",
  gelu_tanh: "GELU", silu: "SiLU", sigmoid: "σ", tanh: "tanh", hardswish: "hard-swish", hardsigmoid: "hard-sigmoid",
};

function flowBox() {
  const box = element("div", "step");
  box.append(element("span", "step-title"), element("span", "step-text"), element("strong", "step-result"));
  return box;
}

function channelTables() {
  const box = element("div", "channel");
  const grids = element("div", "grids");
  grids.append(numberGrid(), numberGrid(), numberGrid());
  box.append(element("div", "channel-title"), grids);
  return box;
}

function numberGrid() {
  const box = element("div", "grid-box");
  box.append(element("div", "grid-title"), element("div", "grid"), element("div", "grid-foot"));
  return box;
}

function barRow() {
  const row = element("div", "bar-row");
  const track = element("span", "track");
  track.append(element("span", "bar"));
  row.append(element("span", "bar-title"), element("span", "bar-note"), track, element("span", "bar-value"));
  return row;
}

/** Give a box one child an item, keeping the children that are there: they are refilled sixty times a second. */
function fill(box, items, make, write) {
  while (box.children.length > items.length) box.lastChild.remove();
  while (box.children.length < items.length) box.append(make());
  items.forEach((item, i) => write(box.children[i], item));
}

/** Give a canvas the pixels of its place on the screen. */
function fit(canvas, ratio) {
  canvas.style.aspectRatio = String(ratio);
  const density = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * density));
  const height = Math.max(1, Math.round(width / ratio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** A frame that shows on any colour: dark outside, light inside, the accent between when it matters. */
function outline(context, x, y, width, height, accent, strong) {
  const thick = Math.max(2, context.canvas.width / 240) * (strong ? 1.3 : 1);
  for (const [grow, colour] of [[1.5, "#000c"], [0, "#fff"], [-1, strong ? accent : "#000c"]]) {
    const out = (grow * thick) / 2;
    context.strokeStyle = colour;
    context.lineWidth = thick / 2 + 1;
    context.strokeRect(x - out, y - out, width + 2 * out, height + 2 * out);
  }
}

const explorers = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".explorer");
  if (!explorers.has(root)) explorers.set(root, new Explorer(root));
  explorers.get(root).show(data, setStateValue);
  return () => {
    explorers.get(root)?.observer.disconnect();
    explorers.delete(root);
  };
}
