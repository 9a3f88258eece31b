// A cloud of points in the plane or in space, drawn by WebGL: hover, choose, search, lasso, isolate. Names, places and
// colours come from the server once; what moves under the pointer is worked out here.

const eased = (t) => (t < 0.5 ? 4 * t * t * t : 1 - (2 - 2 * t) ** 3 / 2);
const mixed = (a, b, share) => a.map((value, k) => Math.round(value + share * (b[k] - value)));

const ICONS = {
  lasso: "M7 20c-2-1-2-4 0-5M7 15C3 13 3 8 7 5.500c4-2.400 10-1.800 12 1.500 2 4-2 8-8 8-1.500 0-3-.200-4-.500",
  isolate: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M12 9a3 3 0 100 6 3 3 0 000-6z",
  all: "M4 4h16v16H4zM8 8h.010M12 12h.010M16 8h.010M8 16h.010M16 16h.010",
  clear: "M6 6l12 12M18 6L6 18",
  closer: "M11 5a6 6 0 100 12 6 6 0 000-12zM20 20l-4.500-4.500M11 8v6M8 11h6",
  farther: "M11 5a6 6 0 100 12 6 6 0 000-12zM20 20l-4.500-4.500M8 11h6",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  labels: "M4 6h16M12 6v13M9 19h6",
  images: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M9 9h.010",
};
const STRAIGHT = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const MOST_LABELS = 90;
const LOOKED_AT = 3000; // candidates for a label in one picture
const MOVE = 900; // ms from one picture to the next
const LIVE_MOVE = 180;

class Projector {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.stage = this.find("stage");
    this.over = this.find("over");
    this.view = { dims: 2, centre: [0, 0, 0], zoom: 1, turn: STRAIGHT };
    this.count = 0;
    this.have = {};
    this.picked = new Set();
    this.matched = [];
    this.isolated = null;
    this.chosen = -1;
    this.hovered = -1;
    this.labelled = true;
    this.pictured = true;
    this.fingers = new Map();
    this.frames = { count: 0, since: performance.now() };
    try {
      this.card = new Card(this.find("points"));
    } catch (error) {
      this.card = null;
      root.dataset.error = error.message;
    }
    this.listen();
  }

  receive({ data, setStateValue }) {
    const first = !this.data;
    this.tell = setStateValue;
    this.data = data;
    const wasLive = this.live;
    this.live = false;
    this.label();
    if (!this.card) {
      this.note(data.words.none);
      return;
    }
    this.fetch("names", data.names, (bytes) => this.name(decode(bytes).arrays));
    this.fetch("paint", data.paint, (bytes) => {
      const { header, arrays } = decode(bytes);
      this.paint = { ...header, codes: arrays.codes.data };
    });
    this.fetch("points", data.points, (bytes) => {
      const { header, arrays } = decode(bytes);
      this.place(arrays.points.data, header.dims);
    });
    this.fetch("atlas", data.atlas?.digest, (bytes) => this.hang(bytes));
    this.hear(data.chosen);
    this.follow(data.channel);
    if (first) this.note("");
    if (wasLive && this.chosen !== data.chosen) this.choose(this.chosen);
    this.change();
  }

  /** What the server says is chosen counts when it is news; else the hand has been faster. */
  hear(chosen) {
    if (chosen === this.heard) return;
    this.heard = chosen;
    this.chosen = chosen;
    this.state();
  }

  fetch(name, digest, take) {
    if (this.have[name] === digest) return;
    this.have[name] = digest;
    if (!digest) return;
    collect(digest, (bytes) => {
      if (this.have[name] !== digest) return;
      take(bytes);
      this.change();
    });
  }

  // ---- what comes from the server

  /** Other points: whatever was selected among the last ones is gone. */
  name({ names, priority }) {
    this.names = new TextDecoder().decode(names.data).split("\n");
    this.searched = this.names.map(folded);
    this.count = this.names.length;
    this.order = Uint32Array.from(priority.data.keys()).sort((a, b) => priority.data[b] - priority.data[a] || a - b);
    this.card.put("tile", Float32Array.from(this.names, (_, i) => i), 1);
    this.widths = new Map();
    if (this.places?.length !== 3 * this.count) this.places = this.target = null;
    this.isolated = null;
    this.absent = null;
    this.hovered = -1;
    const held = this.picked.size > 0;
    this.select([], false);
    if (held) this.send("lasso", { set: this.have.names, count: this.count, bits: "" }); // or it would come back with them
    this.search();
  }

  place(points, dims) {
    const places = framed(points, dims);
    const flat = this.view.dims !== dims;
    this.view.dims = dims;
    this.absent = null;
    if (flat || !this.places) this.home();
    this.go(places, MOVE);
    this.root.dataset.dims = dims;
  }

  /** A moment of a computation under way: the points that it arranges, and where they are by now. */
  moment({ points, rows }) {
    if (!this.count || !points || points.shape[1] !== this.view.dims) return;
    const places = framed(points.data, points.shape[1]);
    const all = new Float32Array(3 * this.count);
    this.absent = new Uint8Array(this.count).fill(rows.data.length < this.count ? 1 : 0);
    rows.data.forEach((row, i) => {
      all.set(places.subarray(3 * i, 3 * i + 3), 3 * row);
      this.absent[row] = 0;
    });
    this.live = true;
    this.root.dataset.moments = Number(this.root.dataset.moments ?? 0) + 1;
    this.go(all, LIVE_MOVE);
    this.change();
  }

  follow(channel) {
    if (this.channel === channel) return;
    this.leave?.();
    this.channel = channel;
    this.leave = channel ? subscribe(channel, (bytes) => this.moment(decode(bytes).arrays)) : null;
  }

  /** Move to other places, from wherever the points are now. */
  go(places, time) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches || !this.places || this.places.length !== places.length;
    this.from = still ? places : this.places.slice();
    this.target = places;
    this.started = performance.now();
    this.time = still ? 0 : time;
    this.places ??= places.slice();
    if (this.places.length !== places.length) this.places = places.slice();
    this.draw();
  }

  async hang(bytes) {
    const picture = await createImageBitmap(new Blob([bytes]));
    this.card.picture(picture);
    this.atlas = true;
    this.label();
    this.change();
  }

  // ---- words and buttons

  label() {
    const { words, lang, title, height } = this.data;
    const number = new Intl.NumberFormat(lang);
    this.number = (value) => number.format(value);
    this.root.lang = lang;
    this.root.style.setProperty("--height", `${height}rem`);
    this.over.setAttribute("aria-label", `${title}. ${words.hint}`);
    this.find("query").placeholder = words.search;
    this.find("query").setAttribute("aria-label", words.search);
    this.find("hint").textContent = words.hint;
    for (const name of Object.keys(ICONS)) this.button(name, words[name]);
    this.find("images").hidden = !this.atlas;
    this.state();
  }

  button(name, word) {
    const node = this.find(name);
    if (node.title === word) return;
    node.title = word;
    node.setAttribute("aria-label", word);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    node.replaceChildren(svg);
  }

  /** Which buttons can be pressed, and which are down. */
  state() {
    const { words } = this.data;
    this.find("isolate").disabled = !this.picked.size && !this.matched.length;
    this.find("all").disabled = !this.isolated;
    this.find("clear").disabled = !this.picked.size && this.chosen < 0 && !this.query;
    this.find("lasso").setAttribute("aria-pressed", String(Boolean(this.lassoing)));
    this.find("labels").setAttribute("aria-pressed", String(this.labelled));
    this.find("images").setAttribute("aria-pressed", String(this.pictured));
    this.stage.classList.toggle("lassoing", Boolean(this.lassoing));
    const parts = [];
    if (this.query) parts.push(say(words.found, { count: this.number(this.matched.length) }));
    if (this.picked.size) parts.push(say(words.picked, { count: this.number(this.picked.size) }));
    if (this.isolated) parts.push(say(words.isolated, { count: this.number(this.isolated.size), total: this.number(this.count) }));
    this.find("told").textContent = parts.join(" · ");
    Object.assign(this.root.dataset, { picked: this.picked.size, found: this.matched.length, isolated: this.isolated?.size ?? "", chosen: this.chosen });
  }

  note(text) {
    this.find("note").textContent = text;
    this.find("note").classList.toggle("shown", Boolean(text));
  }

  /** A note that goes by itself. */
  remind(text) {
    if (this.reminded === text && this.find("note").classList.contains("shown")) return;
    this.reminded = text;
    this.note(text);
    clearTimeout(this.forgetting);
    this.forgetting = setTimeout(() => this.note(""), 1600);
  }

  legend() {
    const box = this.find("legend");
    const { paint } = this;
    const key = paint ? `${this.have.paint} ${this.theme.text}` : "";
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    if (!paint || paint.kind === "one") {
      box.replaceChildren();
      return;
    }
    const title = document.createElement("b");
    title.textContent = paint.title;
    box.replaceChildren(title, ...(paint.kind === "values" ? this.ramp() : this.chips()));
  }

  ramp() {
    const { paint } = this;
    const bar = document.createElement("i");
    bar.className = "ramp";
    bar.style.background = `linear-gradient(to right, ${paint.colours.join(", ")})`;
    const [low, high] = [paint.low, paint.high].map((text) => Object.assign(document.createElement("span"), { textContent: text }));
    return [low, bar, high];
  }

  /** One chip a category: it shows only its points, and all again. */
  chips() {
    return this.paint.names.map((name, code) => {
      const chip = document.createElement("button");
      Object.assign(chip, { type: "button", className: "chip" });
      const dot = document.createElement("i");
      dot.style.background = this.paint.colours[code];
      chip.append(dot, name);
      chip.onclick = () => {
        const rows = [...this.paint.codes.keys()].filter((row) => this.paint.codes[row] === code && !this.gone(row));
        this.select(rows);
      };
      return chip;
    });
  }

  gone(row) {
    return Boolean((this.isolated && !this.isolated.has(row)) || this.absent?.[row]);
  }

  // ---- drawing

  /** Something about the points themselves is other than before: paint them again. */
  change() {
    if (!this.data) return;
    this.repaint = true;
    this.draw();
  }

  draw() {
    if (!this.card) return;
    this.waiting ??= requestAnimationFrame((now) => {
      this.waiting = null;
      if (this.root.isConnected && this.data) this.frame(now);
    });
  }

  frame(now) {
    const { count } = this;
    if (!count || this.places?.length !== 3 * count || this.paint?.codes.length !== count || !this.measure()) return;
    const moving = this.advance(now);
    if (this.repaint) this.dye();
    const { width, height } = this.box;
    const matrix = lens(this.view, width, height);
    this.matrix = matrix;
    this.fresh = false;
    const scale = window.devicePixelRatio || 1;
    const pictures = Boolean(this.atlas && this.pictured);
    this.card.draw(this.count, matrix, {
      size: (pictures ? this.pictureSize() : this.dotSize()) * scale, tiles: this.data.atlas?.columns ?? 1, pictures: pictures ? 1 : 0,
      space: this.view.dims === 3 ? 1 / (FIELD * this.view.zoom) : 0, paper: this.theme.paper,
    });
    this.drawOver();
    this.legend();
    this.count_frame(now);
    if (moving) this.draw();
  }

  /** Frames a second over the last half second, for those who measure. */
  count_frame(now) {
    this.frames.count += 1;
    this.root.dataset.frames = Number(this.root.dataset.frames ?? 0) + 1;
    if (now - this.frames.since < 500) return;
    this.root.dataset.rate = ((1000 * this.frames.count) / (now - this.frames.since)).toFixed(1);
    this.frames = { count: 0, since: now };
  }

  /** One step of the way to the target; whether there is more of it. */
  advance(now) {
    if (!this.target) return false;
    const share = this.time ? Math.min(1, Math.max(0, now - this.started) / this.time) : 1;
    const part = eased(share);
    for (let i = 0; i < this.places.length; i++) this.places[i] = this.from[i] + part * (this.target[i] - this.from[i]);
    this.card.put("place", this.places, 3);
    if (share < 1) return true;
    this.target = null;
    return false;
  }

  /** Sizes and theme; false where there is no room. */
  measure() {
    const style = getComputedStyle(this.root);
    const paper = rgb(style.getPropertyValue("--st-background-color").trim());
    const theme = { text: style.color, paper, accent: style.getPropertyValue("--st-primary-color").trim(), font: style.fontFamily, rem: parseFloat(style.fontSize) };
    if (JSON.stringify(theme) !== JSON.stringify(this.theme)) this.repaint = true;
    this.theme = theme;
    this.box = { width: this.stage.clientWidth, height: this.stage.clientHeight };
    const scale = window.devicePixelRatio || 1;
    for (const name of ["points", "over"]) {
      const canvas = this.find(name);
      const size = [Math.round(this.box.width * scale), Math.round(this.box.height * scale)];
      if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    }
    return this.box.width > 20 && this.box.height > 20;
  }

  /** The colour of every point, and which stand in front. */
  dye() {
    this.repaint = false;
    const { paint, theme } = this;
    const dark = theme.paper[0] < 128;
    const dim = dark ? 0.78 : 0.82;
    const table = paint.kind === "values" ? colours(paint.colours) : paint.colours.map(rgb);
    const none = mixed(rgb(theme.text), theme.paper, 0.72);
    const faded = table.map((colour) => mixed(colour, theme.paper, dim));
    const fadedNone = mixed(none, theme.paper, dim);
    const searched = this.query ? new Set(this.matched) : null;
    const wanted = searched ?? (this.picked.size && this.picked.size !== this.isolated?.size ? this.picked : null);
    const shade = new Uint8Array(4 * this.count);
    const front = new Float32Array(this.count);
    this.hidden = new Uint8Array(this.count);
    for (let row = 0; row < this.count; row++) {
      const code = paint.codes[row];
      const on = !wanted || wanted.has(row);
      const colour = on ? (table[code] ?? none) : (faded[code] ?? fadedNone);
      this.hidden[row] = this.gone(row) ? 1 : 0;
      shade.set(colour, 4 * row);
      shade[4 * row + 3] = this.hidden[row] ? 0 : on ? 255 : 70;
      front[row] = wanted && on ? 1 : 0;
    }
    this.wanted = wanted;
    this.card.put("colour", shade, 4);
    this.card.put("front", front, 1);
  }

  dotSize() {
    const { width, height } = this.box;
    const shown = this.isolated?.size ?? this.count;
    const room = 0.5 * Math.sqrt((width * height) / Math.max(shown, 1));
    const zoom = this.view.dims === 2 ? Math.max(1, this.view.zoom) ** 0.3 : 1;
    return Math.min(13, Math.max(3, Math.min(room, 9) * zoom)) * (this.theme.rem / 16);
  }

  pictureSize() {
    const { width, height } = this.box;
    const shown = this.isolated?.size ?? this.count;
    const zoom = this.view.dims === 2 ? Math.max(1, this.view.zoom) ** 0.6 : 1;
    return Math.min(72, Math.max(14, 0.6 * Math.sqrt((width * height) / Math.max(shown, 1)) * zoom)) * (this.theme.rem / 16);
  }

  /** Where the points stand on the screen, worked out when it is asked for and only once a picture. */
  screen() {
    if (!this.fresh) {
      if (this.seen?.length !== this.places.length) this.seen = new Float32Array(this.places.length);
      onScreen(this.places, this.matrix, this.box.width, this.box.height, this.seen);
      this.fresh = true;
    }
    return this.seen;
  }

  at(row) {
    const screen = this.screen();
    return [screen[3 * row], screen[3 * row + 1]];
  }

  drawOver() {
    const context = this.over.getContext("2d");
    const scale = window.devicePixelRatio || 1;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.box.width, this.box.height);
    if (this.chosen >= this.count) this.chosen = -1;
    if (this.view.dims === 3) this.drawCompass(context);
    if (!this.live) this.drawTies(context);
    if (this.labelled) this.drawLabels(context);
    for (const [row, reach] of [[this.chosen, 9], [this.hovered, 7]]) this.ring(context, row, reach, row === this.chosen);
    if (this.line) this.drawLine(context);
    if (this.aiming) this.drawAim(context);
  }

  /** From the chosen point to its neighbours in the embedding (lines), and in the picture (rings). */
  drawTies(context) {
    const { chosen, data, theme } = this;
    if (chosen < 0 || chosen !== data.chosen || this.gone(chosen)) return;
    const [x, y] = this.at(chosen);
    Object.assign(context, { strokeStyle: theme.accent, lineWidth: 1.6, globalAlpha: 0.75 });
    context.beginPath();
    for (const row of data.own) {
      if (row < 0 || this.gone(row)) continue;
      const [a, b] = this.at(row);
      context.moveTo(x, y);
      context.lineTo(a, b);
    }
    context.stroke();
    context.globalAlpha = 1;
    for (const row of data.near) this.ring(context, row, 5.5, false);
  }

  ring(context, row, reach, strong) {
    if (row < 0 || row >= this.count || this.gone(row)) return;
    const [x, y] = this.at(row);
    const size = reach * (this.theme.rem / 16);
    for (const [colour, width] of [[`rgb(${this.theme.paper})`, strong ? 6 : 4], [strong ? this.theme.accent : this.theme.text, strong ? 3 : 1.5]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: width });
      context.beginPath();
      context.arc(x, y, size, 0, 7);
      context.stroke();
    }
  }

  /** Names that do not overlap: first those that were asked for, then the most important ones. */
  drawLabels(context) {
    const { width, height } = this.box;
    const shelf = new Shelf(width, height);
    const small = Math.round(0.82 * this.theme.rem);
    const big = Math.round(0.98 * this.theme.rem);
    Object.assign(context, { textBaseline: "middle", textAlign: "left", lineJoin: "round" });
    const own = this.chosen >= 0 && this.chosen === this.data.chosen ? this.data.own : [];
    const first = [this.hovered, this.chosen, ...own, ...(this.query ? this.matched.slice(0, 60) : [])];
    const screen = this.screen();
    let shown = 0;
    const write = (row, size, weight) => {
      const [x, y] = [screen[3 * row], screen[3 * row + 1]];
      if (!(x >= 0 && x <= width && y >= 0 && y <= height)) return;
      const font = `${weight} ${size}px ${this.theme.font}`;
      const text = this.short(row);
      const wide = this.wide(context, font, text);
      const gap = row === this.chosen || row === this.hovered ? Math.max(12, this.dotGap()) : this.dotGap();
      for (const left of [x + gap, x - gap - wide]) {
        if (!shelf.take(left - 2, y - 0.62 * size, left + wide + 2, y + 0.62 * size)) continue;
        Object.assign(context, { font, strokeStyle: `rgba(${this.theme.paper}, 0.85)`, lineWidth: 3.5, fillStyle: this.theme.text });
        context.strokeText(text, left, y);
        context.fillText(text, left, y);
        shown += 1;
        return;
      }
    };
    const done = new Set();
    for (const row of first) {
      if (row < 0 || row >= this.count || done.has(row) || this.gone(row)) continue;
      done.add(row);
      write(row, row === this.chosen || row === this.hovered ? big : small, row === this.chosen || row === this.hovered ? 700 : 600);
    }
    if (this.atlas && this.pictured) return; // a picture says who it is
    const most = Math.min(MOST_LABELS, Math.round((width * height) / (900 * (small / 13) ** 2) / 8));
    let looked = 0;
    for (const row of this.order) {
      if (shown >= most || looked >= (this.target ? LOOKED_AT / 8 : LOOKED_AT)) break;
      if (this.gone(row) || (this.wanted && !this.wanted.has(row)) || done.has(row)) continue;
      const [x, y] = [screen[3 * row], screen[3 * row + 1]];
      if (!(x >= 0 && x <= width && y >= 0 && y <= height)) continue;
      looked += 1;
      write(row, small, 400);
    }
    this.root.dataset.labels = shown;
  }

  /** How wide a text is; to measure one takes long, and the same ones come again with every picture. */
  wide(context, font, text) {
    const key = `${font} ${text}`;
    if (!this.widths.has(key)) {
      context.font = font;
      this.widths.set(key, context.measureText(text).width);
    }
    return this.widths.get(key);
  }

  dotGap() {
    return 3 + (this.atlas && this.pictured ? this.pictureSize() : this.dotSize()) / 2;
  }

  short(row) {
    const name = this.names[row];
    return name.length > 28 ? `${name.slice(0, 27)}…` : name;
  }

  /** Three short axes in a corner: which way the cloud is turned. */
  drawCompass(context) {
    const [x, y, reach] = [34, this.box.height - 34, 20];
    Object.assign(context, { lineWidth: 1.5, strokeStyle: this.theme.text, fillStyle: this.theme.text, globalAlpha: 0.6, font: `11px ${this.theme.font}` });
    for (let k = 0; k < 3; k++) {
      const [a, b] = [x + reach * this.view.turn[k], y - reach * this.view.turn[3 + k]];
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(a, b);
      context.stroke();
      context.fillText(String(k + 1), x + 1.35 * (a - x) - 3, y + 1.35 * (b - y) + 1);
    }
    context.globalAlpha = 1;
  }

  drawLine(context) {
    Object.assign(context, { strokeStyle: this.theme.accent, fillStyle: this.theme.accent, lineWidth: 2 });
    context.setLineDash([6, 4]);
    context.beginPath();
    this.line.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x, y));
    context.closePath();
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 0.12;
    context.fill();
    context.globalAlpha = 1;
  }

  /** Where Enter chooses, for those who steer by keys. */
  drawAim(context) {
    const [x, y] = [this.box.width / 2, this.box.height / 2];
    Object.assign(context, { strokeStyle: this.theme.text, lineWidth: 1.2, globalAlpha: 0.6 });
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 11 * dx, y + 11 * dy);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  // ---- moving the eye

  home() {
    const space = this.view.dims === 3; // turned askew, and farther away: its corners come near the eye
    Object.assign(this.view, { centre: [0, 0, 0], zoom: space ? 0.72 : 1, turn: space ? turned(STRAIGHT, -0.5, 0.3) : STRAIGHT });
    this.draw();
  }

  /** Bring all shown points into the picture. */
  fit() {
    const rows = this.isolated ?? (this.picked.size ? this.picked : null);
    if (!rows?.size || !this.places) return this.home();
    const places = new Float32Array(3 * rows.size);
    [...rows].forEach((row, i) => places.set(this.places.subarray(3 * row, 3 * row + 3), 3 * i));
    const { middle, scale } = extent(places, 3);
    Object.assign(this.view, { centre: middle, zoom: Math.min(400, (this.view.dims === 3 ? 0.68 : 0.92) / Math.max(scale, 1e-3)) });
    return this.draw();
  }

  /** Closer or farther, so that what is under (x, y) stays there. */
  closer(factor, x = this.box.width / 2, y = this.box.height / 2) {
    const zoom = Math.min(this.view.dims === 3 ? 40 : 2000, Math.max(0.2, this.view.zoom * factor));
    if (this.view.dims === 2) {
      const unit = (0.46 * Math.min(this.box.width, this.box.height)) ** -1;
      const [dx, dy] = [(x - this.box.width / 2) * unit, (this.box.height / 2 - y) * unit];
      this.view.centre = [this.view.centre[0] + dx / this.view.zoom - dx / zoom, this.view.centre[1] + dy / this.view.zoom - dy / zoom, 0];
    }
    this.view.zoom = zoom;
    this.draw();
  }

  slide(dx, dy) {
    const unit = 1 / (0.46 * Math.min(this.box.width, this.box.height) * this.view.zoom);
    const [a, b] = [-dx * unit, dy * unit];
    const r = this.view.turn;
    this.view.centre = this.view.centre.map((value, k) => value + a * r[k] + b * r[3 + k]);
    this.draw();
  }

  spin(dx, dy) {
    this.view.turn = turned(this.view.turn, dx * 0.008, dy * 0.008);
    this.draw();
  }

  // ---- hands

  listen() {
    const { over } = this;
    over.addEventListener("pointerdown", (event) => this.down(event));
    over.addEventListener("pointermove", (event) => this.move(event));
    over.addEventListener("pointerup", (event) => this.up(event));
    over.addEventListener("pointercancel", (event) => this.up(event, true));
    over.addEventListener("pointerleave", () => this.point(-1));
    over.addEventListener("contextmenu", (event) => event.preventDefault());
    over.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    over.addEventListener("keydown", (event) => this.key(event));
    over.addEventListener("dblclick", (event) => this.box && this.closer(2, ...this.pixels(event)));
    over.addEventListener("blur", () => this.aim(false));
    const act = {
      lasso: () => this.arm(!this.lassoing), isolate: () => this.isolate(), all: () => this.showAll(), clear: () => this.clear(),
      closer: () => this.closer(1.5), farther: () => this.closer(1 / 1.5), fit: () => this.fit(),
      labels: () => this.toggle("labelled"), images: () => this.toggle("pictured"),
    };
    for (const [name, run] of Object.entries(act)) this.find(name).onclick = () => this.box && run();
    const query = this.find("query");
    query.addEventListener("input", () => this.search());
    query.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.next(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") this.clear();
      event.stopPropagation(); // a letter typed here is no shortcut of the page's
    });
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.stage);
    this.find("points").addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      this.card = null;
      this.note(this.data?.words.lost ?? "");
    });
  }

  toggle(what) {
    this[what] = !this[what];
    this.state();
    this.draw();
  }

  pixels(event) {
    const box = this.over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** A mouse moves the picture; one finger scrolls the page, or chooses; two fingers move the picture. */
  down(event) {
    if (!this.box || !this.matrix) return;
    this.aim(false);
    const at = this.pixels(event);
    this.fingers.set(event.pointerId, at);
    this.start = { at, moved: this.fingers.size > 1, pan: event.button === 2 || event.button === 1 || event.shiftKey };
    if (event.pointerType !== "touch" || this.lassoing) this.over.setPointerCapture(event.pointerId);
    if (this.lassoing && this.fingers.size === 1) this.line = [at];
    this.point(-1);
  }

  move(event) {
    const at = this.pixels(event);
    const before = this.fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse" && this.matrix && this.names) this.point(pointAt(this.screen(), this.hidden, ...at, 14));
      return;
    }
    const [dx, dy] = [at[0] - before[0], at[1] - before[1]];
    if (Math.hypot(at[0] - this.start.at[0], at[1] - this.start.at[1]) > 4) this.start.moved = true;
    if (this.line && this.fingers.size === 1) {
      this.line.push(at);
      this.draw();
    } else if (this.fingers.size === 2) this.pinch(event.pointerId, at, before);
    else if (this.start.moved && event.pointerType !== "touch") this.start.pan || this.view.dims === 2 ? this.slide(dx, dy) : this.spin(dx, dy);
    else if (this.start.moved) this.remind(this.data.words.fingers);
    this.fingers.set(event.pointerId, at);
  }

  pinch(id, at, before) {
    const [other] = [...this.fingers].filter(([key]) => key !== id).map(([, place]) => place);
    const factor = Math.hypot(at[0] - other[0], at[1] - other[1]) / Math.max(20, Math.hypot(before[0] - other[0], before[1] - other[1]));
    const [dx, dy] = [(at[0] - before[0]) / 2, (at[1] - before[1]) / 2];
    if (this.view.dims === 2) this.slide(dx, dy);
    else this.spin(1.6 * dx, 1.6 * dy);
    this.closer(factor, (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
  }

  up(event, cancelled = false) {
    if (!this.fingers.delete(event.pointerId) || cancelled) {
      this.line = null;
      this.draw();
      return;
    }
    if (this.line) {
      const line = this.line;
      this.line = null;
      if (line.length > 2 && this.start.moved) this.select(lassoed(this.screen(), this.hidden, line));
      this.arm(false);
    } else if (!this.start.moved && this.names) {
      const row = pointAt(this.screen(), this.hidden, ...this.pixels(event), event.pointerType === "touch" ? 24 : 14);
      if (row >= 0) this.choose(row);
    }
    this.draw();
  }

  /** The wheel scrolls the page, unless the picture has been clicked or Ctrl is held: nobody is trapped here. */
  wheel(event) {
    if (!this.box) return;
    const inside = this.root.getRootNode().activeElement === this.over;
    if (!inside && !event.ctrlKey && !event.metaKey) {
      this.remind(this.data.words.wheel);
      return;
    }
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.closer(Math.exp(-0.0015 * Math.max(-300, Math.min(300, event.deltaY * lines))), ...this.pixels(event));
  }

  key(event) {
    if (!this.box) return;
    const step = event.shiftKey ? 12 : 36;
    const ways = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const way = ways[event.key];
    const act = {
      "+": () => this.closer(1.25), "=": () => this.closer(1.25), "-": () => this.closer(0.8), 0: () => this.fit(),
      Enter: () => this.chooseMiddle(), Escape: () => this.clear(),
    };
    if (!way && !act[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    this.aim(true);
    if (!way) act[event.key]();
    else if (this.view.dims === 3 && !event.altKey) this.spin(-way[0] * 0.6, -way[1] * 0.6);
    else this.slide(...way);
  }

  aim(on) {
    if (Boolean(this.aiming) === on) return;
    this.aiming = on;
    this.draw();
  }

  chooseMiddle() {
    const row = pointAt(this.screen(), this.hidden, this.box.width / 2, this.box.height / 2, 400);
    if (row >= 0) this.choose(row);
  }

  point(row) {
    if (row === this.hovered || !this.names) return;
    this.hovered = row;
    const tip = this.find("tip");
    tip.classList.toggle("shown", row >= 0);
    if (row >= 0) {
      const value = this.valueOf(row);
      tip.textContent = value ? `${this.names[row]} · ${value}` : this.names[row];
      const [x, y] = this.at(row);
      tip.style.left = `${Math.min(x + 14, this.box.width - tip.offsetWidth - 4)}px`;
      tip.style.top = `${Math.max(4, y - tip.offsetHeight - 12)}px`;
    }
    this.root.dataset.hovered = row;
    this.draw();
  }

  /** What the colour says about a point. */
  valueOf(row) {
    const { paint } = this;
    if (!paint || paint.kind === "one") return "";
    if (paint.kind === "values") return paint.codes[row] === 255 ? "" : `${paint.title} ${paint.steps[paint.codes[row]]}`;
    return paint.names[paint.codes[row]] ?? "";
  }

  // ---- choosing, searching, selecting

  choose(row) {
    this.chosen = row;
    this.find("live").textContent = row >= 0 ? this.names[row] : "";
    this.state();
    this.draw();
    this.send("point", { set: this.have.names, row });
  }

  /** Nothing is told while a computation runs: the server would begin it again. */
  send(name, value) {
    if (!this.live) this.tell(name, value);
  }

  search() {
    this.query = this.find("query").value.trim();
    this.matched = this.searched ? matches(this.searched, this.query) : [];
    this.place_in_found = -1;
    this.state();
    this.change();
  }

  /** The next match: chosen, and brought into the picture. */
  next(step) {
    const shown = this.matched.filter((row) => !this.gone(row));
    if (!shown.length) return;
    this.place_in_found = (this.place_in_found + step + shown.length) % shown.length;
    const row = shown[this.place_in_found];
    const [x, y] = this.at(row);
    const { width, height } = this.box;
    if (!(x > 0 && x < width && y > 0 && y < height)) this.view.centre = [...this.places.subarray(3 * row, 3 * row + 3)];
    this.choose(row);
  }

  select(rows, tell = true) {
    this.picked = new Set(rows);
    if (this.data) this.state();
    this.change();
    if (tell) this.send("lasso", { set: this.have.names, count: this.count, bits: rows.length ? bits(rows, this.count) : "" });
  }

  arm(on) {
    this.lassoing = on;
    this.state();
  }

  isolate() {
    this.isolated = new Set(this.picked.size ? this.picked : this.matched);
    this.fit();
    this.state();
    this.change();
  }

  showAll() {
    this.isolated = null;
    this.home();
    this.state();
    this.change();
  }

  clear() {
    this.find("query").value = "";
    this.search();
    this.arm(false);
    if (this.picked.size) this.select([]);
    if (this.chosen >= 0) this.choose(-1);
  }
}

const projectors = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".projector");
  if (!projectors.has(root)) projectors.set(root, new Projector(root));
  projectors.get(root).receive(component);
  return () => {
    const one = projectors.get(root);
    one?.observer.disconnect();
    one?.leave?.();
    one?.card?.gl.getExtension("WEBGL_lose_context")?.loseContext();
    projectors.delete(root);
  };
}
