// A canvas with pen, eraser, undo and redo. The strokes are kept here and told to Python when the pen leaves the
// paper, in the letters of dlviz/intake/strokes.py; what is shown is drawn from those same letters.

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const GRID = 256;
const STEPS_BACK = 200;

// ---------------------------------------------------------------------------------------------------------
// Strokes and their letters. No page here: the tests run these functions beside Python's.

const place = ([x, y]) => {
  const value = (x << 9) | y;
  return LETTERS[value >> 12] + LETTERS[(value >> 6) & 63] + LETTERS[value & 63];
};

/** The code of strokes ({ points: [[x, y], ...], width, eraser }). */
export function encode(strokes) {
  return strokes.map(({ points, width, eraser }) => {
    let code = LETTERS[(width - 4) / 2 + (eraser ? 32 : 0)] + place(points[0]);
    for (let i = 1; i < points.length; i++) {
      const step = [0, 1].map((k) => points[i][k] - points[i - 1][k] + 32);
      code += step.every((part) => part >= 0 && part < 64) ? LETTERS[step[0]] + LETTERS[step[1]] : `~${place(points[i])}`;
    }
    return code;
  }).join(".");
}

/** The strokes of a code that Python has found good. */
export function decode(code) {
  const value = (letter) => LETTERS.indexOf(letter);
  const absolute = (part) => {
    const all = (value(part[0]) << 12) | (value(part[1]) << 6) | value(part[2]);
    return [all >> 9, all & 511];
  };
  return code.split(".").filter(Boolean).map((part) => {
    const tool = value(part[0]);
    const points = [absolute(part.slice(1, 4))];
    for (let at = 4; at < part.length; ) {
      const [x, y] = points[points.length - 1];
      const far = part[at] === "~";
      points.push(far ? absolute(part.slice(at + 1, at + 4)) : [x + value(part[at]) - 32, y + value(part[at + 1]) - 32]);
      at += far ? 4 : 2;
    }
    return { points, width: 4 + 2 * (tool % 32), eraser: tool >= 32 };
  });
}

/** The fewest points that stay within `tolerance` of the line through all of them (Ramer, Douglas and Peucker). */
export function simplify(points, tolerance) {
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const spans = [[0, points.length - 1]];
  while (spans.length) {
    const [first, last] = spans.pop();
    let farthest = -1;
    let largest = tolerance;
    for (let i = first + 1; i < last; i++) {
      const distance = apart(points[i], points[first], points[last]);
      if (distance > largest) [largest, farthest] = [distance, i];
    }
    if (farthest < 0) continue;
    keep[farthest] = 1;
    spans.push([first, farthest], [farthest, last]);
  }
  return points.filter((_, i) => keep[i]);
}

/** Distance of a point from the segment between two others. */
function apart([x, y], [ax, ay], [bx, by]) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const share = length ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) : 0;
  return Math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay));
}

/** On the grid, without points that repeat the one before. */
export function onGrid(points) {
  const whole = points.map((point) => point.map((x) => Math.min(GRID - 1, Math.max(0, Math.floor(x)))));
  return whole.filter(([x, y], i) => i === 0 || x !== whole[i - 1][0] || y !== whole[i - 1][1]);
}

/** The drawing as it is sent: as exact as fits into `room` letters, down to a third of a pixel of 28. */
export function settle(strokes, room) {
  let settled = strokes;
  for (const tolerance of [0.35, 0.6, 1, 1.6, 2.4, 3.2]) {
    settled = strokes.map((stroke) => {
      const points = onGrid(simplify(stroke.raw ?? stroke.points, tolerance));
      return { ...stroke, raw: stroke.raw ?? stroke.points, points };
    });
    if (encode(settled).length <= room) return settled;
  }
  return settled;
}

// ---------------------------------------------------------------------------------------------------------
// The canvas.

const ICONS = {
  pen: "M4 20l1-4L16 5l3 3L8 19z", eraser: "M8 20h12M5 15l8-8 6 6-7 7H9z", undo: "M9 6L4 11l5 5M4 11h10a5 5 0 010 10h-3",
  redo: "M15 6l5 5-5 5M20 11H10a5 5 0 000 10h3", clear: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
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

class Drawing {
  constructor(root) {
    this.root = root;
    this.strokes = [];
    this.past = [];
    this.future = [];
    this.cursor = [GRID / 2, GRID / 2];
    const find = (name) => root.querySelector(name);
    this.canvas = find("canvas");
    this.context = this.canvas.getContext("2d");
    this.thick = find(".thick");
    this.buttons = {};
    for (const name of Object.keys(ICONS)) (this.buttons[name] = find(`.${name}`)).append(icon(name));
    this.listen();
    this.choose(false);
  }

  receive({ data, setStateValue }) {
    const first = !this.data;
    this.tell = setStateValue;
    if (first) this.thick.value = String((data.pen - 4) / 2);
    const fromElsewhere = first || data.turn !== this.data.turn;
    this.data = data;
    if (fromElsewhere) this.load(data.code, first);
    this.label();
    this.fit();
  }

  load(code, first) {
    if (!first) this.remember();
    this.strokes = decode(code);
  }

  label() {
    const { words, lang, width } = this.data;
    this.root.lang = lang;
    this.root.style.setProperty("--side", `${width}rem`);
    this.root.querySelector(".title").textContent = words.label;
    this.root.querySelector(".empty").textContent = words.empty;
    this.root.querySelector(".tools").setAttribute("aria-label", words.tools);
    this.canvas.setAttribute("aria-label", `${words.label}. ${words.keys}`);
    for (const [name, button] of Object.entries(this.buttons)) {
      button.title = words[name];
      button.setAttribute("aria-label", words[name]);
    }
    this.thick.title = words.thick;
    this.thick.setAttribute("aria-label", words.thick);
  }

  // ---- tools

  listen() {
    const { canvas, buttons } = this;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("blur", () => this.lift());
    this.root.addEventListener("keydown", (event) => this.key(event));
    buttons.pen.onclick = () => this.choose(false);
    buttons.eraser.onclick = () => this.choose(true);
    buttons.undo.onclick = () => this.step(this.past, this.future);
    buttons.redo.onclick = () => this.step(this.future, this.past);
    buttons.clear.onclick = () => this.change([]);
    this.observer = new ResizeObserver(() => this.data && this.fit());
    this.observer.observe(this.root.querySelector(".paper"));
  }

  choose(eraser) {
    this.eraser = eraser;
    this.buttons.pen.setAttribute("aria-pressed", String(!eraser));
    this.buttons.eraser.setAttribute("aria-pressed", String(eraser));
  }

  remember() {
    this.past = [...this.past, this.strokes].slice(-STEPS_BACK);
    this.future = [];
  }

  change(strokes) {
    this.remember();
    this.strokes = settle(strokes, this.data.room);
    this.report();
  }

  step(from, to) {
    if (!from.length) return;
    to.push(this.strokes);
    this.strokes = from.pop();
    this.report();
  }

  report() {
    this.draw();
    this.tell("strokes", encode(this.strokes));
  }

  // ---- pen, mouse and finger

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * GRID, ((event.clientY - box.top) / box.height) * GRID];
  }

  down(event) {
    if (this.stroke || !event.isPrimary || (event.pointerType === "mouse" && event.button !== 0)) return;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(this.at(event), this.eraser || event.button === 5); // 5: the other end of a pen
  }

  begin(point, eraser) {
    this.stroke = { raw: [point], points: [point], width: 4 + 2 * Number(this.thick.value), eraser };
    this.trace(this.stroke, 0);
    this.root.querySelector(".empty").hidden = true;
  }

  move(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    const from = this.stroke.raw.length - 1;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.stroke.raw.push(this.at(each));
    this.trace({ ...this.stroke, points: this.stroke.raw.slice(from) });
  }

  up(event) {
    if (this.stroke && event.pointerId === this.pointer) this.end();
  }

  end() {
    const { stroke } = this;
    this.stroke = null;
    this.change([...this.strokes, stroke]);
  }

  // ---- keyboard

  key(event) {
    const command = event.ctrlKey || event.metaKey;
    const letter = event.key.toLowerCase();
    if (command && letter === "z") this.buttons[event.shiftKey ? "redo" : "undo"].click();
    else if (command && letter === "y") this.buttons.redo.click();
    else if (event.target !== this.canvas || command || !this.steer(event)) return;
    event.preventDefault();
  }

  steer(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " ") {
      this.pointer = null;
      if (this.stroke) this.end();
      else this.begin([...this.cursor], this.eraser);
    } else if (moves[event.key]) {
      const far = event.shiftKey ? 2 : 8;
      this.cursor = this.cursor.map((x, k) => Math.min(GRID - 1, Math.max(0, x + far * moves[event.key][k])));
      if (this.stroke) this.stroke.raw.push([...this.cursor]);
    } else {
      return false;
    }
    this.steering = true;
    this.draw();
    return true;
  }

  lift() {
    this.steering = false;
    if (this.stroke && this.pointer === null) this.end();
    else this.draw();
  }

  // ---- drawing

  fit() {
    const side = Math.round(this.canvas.clientWidth * (window.devicePixelRatio || 1));
    if (!side) return;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.ink = getComputedStyle(this.root).color;
    for (const stroke of this.strokes) this.trace(stroke, 0.5);
    if (this.stroke) this.trace({ ...this.stroke, points: this.stroke.raw }, 0);
    if (this.steering) this.cross();
    this.status();
  }

  /** A stroke with round ends. Places of the grid are the middles of its cells: hence the half. */
  trace({ points, width, eraser }, half = 0) {
    const { context } = this;
    const scale = this.canvas.width / GRID;
    context.setTransform(scale, 0, 0, scale, half * scale, half * scale);
    context.globalCompositeOperation = eraser ? "destination-out" : "source-over";
    Object.assign(context, { strokeStyle: this.ink, lineWidth: width, lineCap: "round", lineJoin: "round" });
    context.beginPath();
    context.moveTo(...points[0]);
    for (const point of points.length > 1 ? points.slice(1) : points) context.lineTo(...point);
    context.stroke();
    context.globalCompositeOperation = "source-over";
  }

  cross() {
    const { context, cursor: [x, y] } = this;
    Object.assign(context, { strokeStyle: getComputedStyle(this.root).getPropertyValue("--st-primary-color"), lineWidth: 2 });
    context.beginPath();
    for (const [dx, dy] of [[9, 0], [0, 9]]) {
      context.moveTo(x - dx, y - dy);
      context.lineTo(x + dx, y + dy);
    }
    context.stroke();
  }

  status() {
    const count = this.strokes.length;
    this.root.dataset.strokes = count;
    this.root.querySelector(".empty").hidden = count > 0 || Boolean(this.stroke);
    this.root.querySelector(".live").textContent = this.data.words.strokes.replace("{count}", count);
    this.buttons.undo.disabled = !this.past.length;
    this.buttons.redo.disabled = !this.future.length;
    this.buttons.clear.disabled = !count;
  }
}

const drawings = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".drawing");
  if (!drawings.has(root)) drawings.set(root, new Drawing(root));
  drawings.get(root).receive(component);
  return () => {
    drawings.get(root)?.observer.disconnect();
    drawings.delete(root);
  };
}
