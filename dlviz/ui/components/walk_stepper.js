// One biased walk on a graph: what stands to choose at each step, which number was drawn, and where it led.
// The whole walk is here: playing, stepping and scrubbing ask the server for nothing.

const SHAPES = { first: "M6 5h2v14H6zM20 5v14L10 12z", step_back: "M16 5v14L6 12z", play: "M7 4l13 8-13 8z", pause: "M6 5h4v14H6zM14 5h4v14h-4z", forward: "M8 5l10 7-10 7z", last: "M4 5l10 7-10 7zM16 5h2v14h-2z" };
const SPEEDS = [0.5, 1, 2, 4, 8];
const TELL_AFTER = 250; // ms of rest before the server hears where the visitor stands

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** How often each node was visited up to and with step `n`. */
export function visits(walk, n, count) {
  const found = new Array(count).fill(0);
  for (const node of walk.slice(0, n + 1)) found[node] += 1;
  return found;
}

class Stepper {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.canvas = this.find("graph");
    this.slider = this.find("slider");
    this.sheet = new Sheet(this.canvas);
    this.hover = -1;
    this.listen();
    this.watcher = new ResizeObserver(() => this.data && this.draw());
    this.watcher.observe(this.canvas);
  }

  receive({ data, setStateValue }) {
    this.tell = setStateValue;
    const another = !this.data || this.data.walked !== data.walked;
    this.data = data;
    this.sheet.take(data.places);
    this.names = data.names;
    if (another) {
      this.pause();
      this.n = Math.min(data.n, data.walk.length - 1);
      this.told = this.n;
    }
    this.label();
    this.draw();
  }

  label() {
    const { words, lang, walk } = this.data;
    this.root.lang = lang;
    this.format = (value, digits = 3) => new Intl.NumberFormat(lang, { maximumSignificantDigits: digits }).format(value);
    for (const name of ["first", "step_back", "forward", "last"]) this.name(name, name);
    this.slider.max = walk.length - 1;
    this.slider.setAttribute("aria-label", words.slider);
    const select = this.find("speed");
    const chosen = select.value || "1";
    select.replaceChildren(...SPEEDS.map((rate) => new Option(this.say(words.per_second, { count: this.format(rate) }), String(rate), false, String(rate) === chosen)));
    select.setAttribute("aria-label", words.speed);
    this.find("hint").textContent = words.hint;
  }

  say(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  name(button, word) {
    const node = this.find(button);
    node.title = this.data.words[word];
    node.setAttribute("aria-label", this.data.words[word]);
    if (node.dataset.icon !== word) node.replaceChildren(icon(word));
    node.dataset.icon = word;
  }

  // ---- moving

  listen() {
    this.find("first").onclick = () => this.go(0);
    this.find("step_back").onclick = () => this.go(this.n - 1);
    this.find("forward").onclick = () => this.go(this.n + 1);
    this.find("last").onclick = () => this.go(this.data.walk.length - 1);
    this.find("play").onclick = () => (this.playing ? this.go(this.n) : this.play());
    this.slider.oninput = () => this.go(Number(this.slider.value));
    this.root.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || event.target === this.find("speed") || event.target === this.slider) return;
      this.go(this.n + step);
      event.preventDefault();
    });
    this.canvas.addEventListener("pointermove", (event) => {
      const under = this.sheet.under(event);
      if (under === this.hover) return;
      this.hover = under;
      this.canvas.style.cursor = under < 0 ? "default" : "pointer";
      this.draw();
    });
    this.canvas.addEventListener("pointerleave", () => {
      this.hover = -1;
      this.draw();
    });
    this.canvas.addEventListener("click", (event) => {
      const node = this.sheet.under(event);
      if (node >= 0) this.tell("start", { name: this.names[node], at: Date.now() });
    });
  }

  go(n) {
    this.pause();
    this.n = Math.max(0, Math.min(this.data.walk.length - 1, n));
    this.draw();
    this.report();
  }

  play() {
    if (this.n >= this.data.walk.length - 1) this.n = 0;
    this.playing = true;
    const tick = () => {
      if (!this.playing || !this.root.isConnected) return;
      if (this.n >= this.data.walk.length - 1) return this.go(this.n);
      this.n += 1;
      this.draw();
      this.clock = setTimeout(tick, 1000 / Number(this.find("speed").value));
    };
    this.draw();
    this.clock = setTimeout(tick, 1000 / Number(this.find("speed").value));
  }

  pause() {
    this.playing = false;
    clearTimeout(this.clock);
  }

  report() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.told === this.n) return;
      this.told = this.n;
      this.tell("n", { walked: this.data.walked, n: this.n });
    }, TELL_AFTER);
  }

  // ---- drawing

  draw() {
    const { words, walk, steps, colours } = this.data;
    this.tint = inks(this.root);
    this.sheet.begin();
    const step = steps[this.n];
    this.graph(step);
    this.find("said").textContent = this.sentence(step);
    this.find("drawn").textContent = step ? this.outcome(step) : "";
    this.lottery(step);
    this.table(step);
    this.slider.value = this.n;
    this.find("where").textContent = this.say(words.where, { n: this.n, total: walk.length - 1 });
    this.name("play", this.playing ? "pause" : "play");
    this.canvas.setAttribute("aria-label", this.find("said").textContent);
    this.root.dataset.n = this.n;
    this.root.style.setProperty("--back", colours[0]);
  }

  graph(step) {
    const { sheet, tint } = this;
    const { edges, walk, heat, colours, directed } = this.data;
    const count = this.names.length;
    const small = count <= 60;
    sheet.lines(edges, tint.ink, 1, small ? 0.22 : 0.1);
    const trail = walk.slice(0, this.n + 1);
    for (let k = 1; k < trail.length; k++) {
      const fresh = Math.max(0.16, 1 - (trail.length - 1 - k) / 9);
      sheet.lines([trail[k - 1], trail[k]], tint.primary, 1.5 + 3 * fresh, fresh * 0.8);
    }
    const shares = heat ?? visits(walk, this.n, count);
    const most = Math.max(...shares, 1e-9);
    const dot = small ? 7 : count <= 300 ? 5 : 3.2;
    const scale = this.data.scale;
    for (let i = 0; i < count; i++) {
      if (!small && !shares[i]) {
        sheet.context.globalAlpha = 0.35;
        sheet.dot(i, dot / 2, tint.ink);
        sheet.context.globalAlpha = 1;
        continue;
      }
      const share = Math.sqrt(shares[i] / most);
      const fill = shares[i] > 0 ? this.along(scale, 0.25 + 0.75 * share) : tint.ground;
      sheet.dot(i, dot * (1 + 0.7 * share), fill, tint.ink, shares[i] > 0 ? 0.8 : 1);
    }
    const labels = this.crossroads(step, dot, directed, colours);
    if (this.hover >= 0) labels.unshift({ node: this.hover, text: this.names[this.hover], radius: dot + 3, strong: true });
    if (small) labels.push(...this.names.map((text, node) => ({ node, text, radius: dot })));
    sheet.names(labels, tint.ink, tint.ground, small ? 0.82 : 0.76);
  }

  /** The candidates with their ways, the node the walk is on and the one before; gives their labels. */
  crossroads(step, dot, directed, colours) {
    const { sheet, tint } = this;
    const { walk } = this.data;
    const here = walk[this.n];
    const labels = [{ node: here, text: this.names[here], radius: dot + 8, strong: true }];
    if (step) {
      const most = Math.max(...step.rows.map((row) => row.probability), 1e-9);
      for (const row of step.rows) {
        const colour = this.kind(row, colours);
        sheet.arrow(here, row.node, colour, 1 + 5 * (row.probability / most), dot + 4);
        sheet.dot(row.node, dot + 3, null, colour, 2.5);
        labels.push({ node: row.node, text: this.names[row.node], radius: dot + 5 });
      }
      const chosen = step.rows.find((row) => row.chosen);
      if (chosen) sheet.dot(chosen.node, dot + 7, null, tint.ink, 2.5);
    }
    if (this.n > 0) {
      sheet.dot(walk[this.n - 1], dot + 3, null, colours[0], 4);
      labels.splice(1, 0, { node: walk[this.n - 1], text: this.names[walk[this.n - 1]], radius: dot + 5, strong: true });
    }
    sheet.dot(here, dot + 5, colours[3], tint.ground, 2);
    return labels;
  }

  along(scale, share) {
    const place = Math.min(0.999, Math.max(0, share)) * (scale.length - 1);
    const low = Math.floor(place);
    return blend(scale[low], scale[low + 1], place - low);
  }

  kind(row, colours) {
    return row.distance < 0 ? this.tint.primary : colours[row.distance];
  }

  // ---- words and numbers

  sentence(step) {
    const { words, walk } = this.data;
    const [here, before] = [this.names[walk[this.n]], this.names[walk[this.n - 1]]];
    if (!step) return this.say(walk.length < this.data.asked ? words.stuck : words.over, { node: here, total: walk.length });
    return this.n ? this.say(words.stands, { node: here, previous: before }) : this.say(words.starts, { node: here });
  }

  outcome(step) {
    const chosen = this.names[this.data.walk[this.n + 1]];
    return this.say(this.data.words.falls, { draw: this.format(step.draw), node: chosen });
  }

  /** All candidates as stretches of the line from 0 to 1, and where the drawn number falls. */
  lottery(step) {
    const bar = this.find("lottery");
    bar.hidden = !step;
    if (!step) return;
    const parts = step.rows.map((row) => {
      const part = document.createElement("i");
      part.style.left = `${100 * row.from}%`;
      part.style.width = `${100 * row.probability}%`;
      part.style.background = this.kind(row, this.data.colours);
      part.title = `${this.names[row.node]}: ${this.format(row.probability)}`;
      part.className = row.chosen ? "won" : "";
      return part;
    });
    const needle = document.createElement("b");
    needle.style.left = `${100 * step.draw}%`;
    bar.replaceChildren(...parts, needle);
  }

  table(step) {
    const { words, weighted, colours } = this.data;
    const body = this.find("rows");
    const heads = ["candidate", ...(weighted ? ["weight"] : []), "bias", ...(weighted ? ["product"] : []), "probability"];
    this.find("heads").replaceChildren(...heads.map((name) => this.cell("th", words[name])));
    this.find("table").hidden = !step;
    if (!step) return;
    const rows = step.rows.slice().sort((a, b) => b.probability - a.probability || a.node - b.node);
    body.replaceChildren(...rows.map((row) => {
      const line = document.createElement("tr");
      line.className = row.chosen ? "won" : "";
      const name = this.cell("td", this.names[row.node]);
      name.className = "node";
      name.style.setProperty("--kind", this.kind(row, colours));
      const numbers = [...(weighted ? [row.weight] : []), null, ...(weighted ? [row.product] : [])];
      line.append(name, ...numbers.map((value) => (value === null ? this.bias(row) : this.cell("td", this.format(value)))));
      const chance = this.cell("td", this.format(row.probability));
      chance.className = "chance";
      chance.style.setProperty("--share", `${100 * row.probability}%`);
      chance.style.setProperty("--kind", this.kind(row, colours));
      line.append(chance);
      line.onpointerenter = () => {
        this.hover = row.node;
        this.sheet.begin();
        this.graph(step);
      };
      line.onpointerleave = () => {
        this.hover = -1;
        this.sheet.begin();
        this.graph(step);
      };
      return line;
    }));
    this.find("more").textContent = step.more ? this.say(words.more, { count: step.more, share: this.format(step.rest) }) : "";
  }

  bias(row) {
    const { words } = this.data;
    const kind = row.distance < 0 ? "1" : [words.back, words.beside, words.away][row.distance];
    const cell = this.cell("td", row.distance < 0 || row.distance === 1 ? kind : `${kind} = ${this.format(row.bias)}`);
    cell.title = row.distance < 0 ? "" : [words.back_why, words.beside_why, words.away_why][row.distance];
    return cell;
  }

  cell(tag, text) {
    const cell = document.createElement(tag);
    cell.textContent = text;
    return cell;
  }
}

const steppers = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".walker");
  if (!steppers.has(root)) steppers.set(root, new Stepper(root));
  steppers.get(root).receive(component);
  return () => {
    steppers.get(root)?.pause();
    steppers.get(root)?.watcher.disconnect();
    steppers.delete(root);
  };
}
