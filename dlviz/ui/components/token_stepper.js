// Plays the film of a tokeniser in the browser: the text with its tokens coloured, the pairs before and after a merge,
// the tree of a token. Which tokens stand at step n follows from two rows of numbers (`symbols` and `joined`, see
// dlviz/language/bpe_film.py), so play, step, back and a drag over all steps ask the server for nothing. Pair counts
// come in a window of moments; the server is told where the visitor stands, and sends the window around that place.

const NEVER = 2 ** 31 - 1;
const ID = 0, TEXT = 1, BYTES = 2, LEFT = 3, RIGHT = 4, MERGE = 5, COUNT = 6, KNOWN = 7;
const TELL_AFTER = 250; // ms of rest before the server hears where the visitor stands
const ASK_AFTER = 30; // the same where the pair counts of that place are not here
const states = new WeakMap();

// The tokens of a film after n steps. A token as [entry, first symbol, last symbol, fresh, word begins].
export function tokensAt(film, n) {
  const made = film.lookup ?? (film.lookup = new Map(film.made_step.map((step, i) => [step, film.made[i]])));
  const starts = film.starts ?? (film.starts = new Set(film.words_at));
  const tokens = [];
  let first = 0, latest = -1;
  for (let i = 0; i < film.symbols.length; i++) {
    const step = film.joined[i];
    if (step < n && i + 1 < film.symbols.length) {
      if (step > latest) latest = step;
      continue;
    }
    const entry = latest < 0 ? film.symbols[i] : made.get(latest);
    tokens.push([entry, first, i, latest >= 0 && latest === n - 1, starts.has(first)]);
    first = i + 1;
    latest = -1;
  }
  return tokens;
}

function element(tag, name, ...children) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...children);
  return node;
}

// A whole sentence with nodes in its places: fill("{n} of {total}", {n: ..., total: ...}).
function fill(sentence, values) {
  return sentence.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? values[part] ?? "" : part));
}

// White space and marks made visible; visitors' text only ever becomes text nodes.
function letters(text) {
  const nodes = [];
  for (const part of text.split(/([ \n\t\r]|<\/w>|^##|⟨[0-9A-F ]+⟩)/u)) {
    if (!part) continue;
    const seen = { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍" }[part];
    if (seen) nodes.push(element("span", "space", seen));
    else if (part === "</w>" || part === "##" || part.startsWith("⟨")) nodes.push(element("span", "mark", part));
    else nodes.push(/^\p{M}/u.test(part) ? "◌" + part : part);
  }
  return nodes;
}

class Stepper {
  constructor(root) {
    this.root = root;
    this.n = 0;
    this.pinned = new Map();
  }

  receive({ data, setStateValue }) {
    this.tell = setStateValue;
    const sameFilm = this.data && this.data.film === data.film;
    const asked = data.n !== this.heard && data.n !== this.sent;
    this.data = data;
    this.number = new Intl.NumberFormat(data.lang, { maximumSignificantDigits: 4 });
    this.steps = Math.max(...data.panels.map((panel) => panel.steps));
    if (!sameFilm || asked) {
      this.n = Math.min(data.n, this.steps);
      this.sent = undefined;
    }
    if (!sameFilm) {
      this.pause();
      this.pinned.clear();
    }
    this.heard = data.n;
    this.build();
    this.draw();
  }

  // ---- moving

  go(n) {
    this.n = Math.max(0, Math.min(this.steps, n));
    this.draw();
    this.report(this.lacks(this.n) ? ASK_AFTER : TELL_AFTER);
  }

  report(rest) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.sent === this.n || (this.sent === undefined && this.heard === this.n)) return;
      this.sent = this.n;
      this.tell("n", this.n);
    }, rest);
  }

  play() {
    if (this.n >= this.steps) this.n = 0;
    this.ticking = setInterval(() => {
      if (this.n >= this.steps || !this.root.isConnected) return this.pause();
      this.n += 1;
      this.draw();
      if (this.needsWindow() && this.asked !== this.heard) {
        this.asked = this.heard;
        this.report(0);
      }
    }, 1000 / Number(this.speed.value));
    this.draw();
  }

  pause() {
    if (!this.ticking) return;
    clearInterval(this.ticking);
    this.ticking = null;
    this.draw();
    this.report(0);
  }

  // Whether the window of pair counts ends within a second of play.
  needsWindow() {
    const ahead = Math.min(this.n + Math.ceil(Number(this.speed.value)), this.steps);
    return this.lacks(ahead);
  }

  lacks(n) {
    return this.data.panels.some((panel) => panel.moments && !moment(panel, Math.min(n, panel.steps)));
  }

  // ---- building (once for each message) and drawing (at every step)

  build() {
    const { words, panels } = this.data;
    if (!this.bar) this.buildBar();
    const labels = ["first", "back", "play", "forward", "last"];
    labels.forEach((name, i) => {
      this.buttons[i].title = words[name];
      this.buttons[i].setAttribute("aria-label", words[name]);
    });
    this.slider.setAttribute("aria-label", words.slider);
    this.slider.max = this.steps;
    this.speed.title = words.speed;
    this.speed.setAttribute("aria-label", words.speed);
    [...this.speed.options].forEach((option) => {
      option.textContent = fill(words.per_second, { count: option.value }).join("");
    });
    const columns = this.data.stacked ? 1 : panels.length;
    this.root.style.setProperty("--columns", columns);
    this.root.classList.toggle("several", columns > 1);
    this.root.classList.toggle("stacked", this.data.stacked);
    this.bar.hidden = this.steps === 0;
    if (this.views?.length !== panels.length) {
      this.area.replaceChildren();
      this.views = panels.map(() => this.buildPanel());
    }
    this.views.forEach((view, i) => (view.panel = panels[i]));
  }

  buildBar() {
    const signs = ["⏮", "◀", "▶", "▶", "⏭"];
    const icons = ["first", "back", "play", "forward", "last"];
    this.buttons = signs.map((_sign, i) => {
      const button = element("button", icons[i]);
      button.type = "button";
      button.append(icon(icons[i]));
      return button;
    });
    const [first, back, play, forward, last] = this.buttons;
    first.onclick = () => this.go(0);
    back.onclick = () => { this.pause(); this.go(this.n - 1); };
    play.onclick = () => (this.ticking ? this.pause() : this.play());
    forward.onclick = () => { this.pause(); this.go(this.n + 1); };
    last.onclick = () => { this.pause(); this.go(this.steps); };
    this.slider = element("input", "slider");
    this.slider.type = "range";
    this.slider.min = 0;
    this.slider.oninput = () => { this.pause(); this.go(Number(this.slider.value)); };
    this.speed = element("select", "speed");
    for (const count of [1, 3, 10, 30]) this.speed.append(new Option("", count, count === 3, count === 3));
    this.speed.onchange = () => { if (this.ticking) { this.pause(); this.play(); } };
    this.where = element("output", "where");
    this.bar = element("div", "bar", element("div", "buttons", ...this.buttons), this.slider, this.where, this.speed);
    this.area = element("div", "panels");
    this.root.replaceChildren(this.bar, this.area);
    this.root.onkeydown = (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move || event.target === this.slider || event.target === this.speed) return;
      event.preventDefault();
      this.pause();
      this.go(this.n + move);
    };
  }

  buildPanel() {
    const view = {
      title: element("h3", "title"), said: element("p", "said"), text: element("div", "text"),
      before: element("div", "pairs before"), after: element("div", "pairs after"), detail: element("div", "detail"),
    };
    view.tables = element("div", "tables", view.before, view.after, view.detail);
    view.node = element("section", "panel", view.title, view.said, view.text, view.tables);
    view.text.onpointerover = (event) => this.point(view, event.target.closest("[data-entry]"));
    view.text.onpointerleave = () => this.point(view, null);
    view.text.onclick = (event) => {
      const token = event.target.closest("[data-entry]");
      this.pinned.set(view, token ? Number(token.dataset.entry) : undefined);
      this.drawDetail(view, this.shown(view));
    };
    this.area.append(view.node);
    return view;
  }

  draw() {
    const { words } = this.data;
    this.slider.value = this.n;
    this.where.replaceChildren(...fill(words.where, { n: this.number.format(this.n), total: this.number.format(this.steps) }));
    this.slider.setAttribute("aria-valuetext", this.where.textContent);
    const play = this.buttons[2];
    play.replaceChildren(icon(this.ticking ? "pause" : "play"));
    play.title = this.ticking ? words.pause : words.play;
    play.setAttribute("aria-label", play.title);
    this.buttons[0].disabled = this.buttons[1].disabled = this.n === 0;
    this.buttons[3].disabled = this.buttons[4].disabled = this.n === this.steps;
    this.root.dataset.n = this.n;
    for (const view of this.views) this.drawPanel(view);
  }

  drawPanel(view) {
    const { panel } = view;
    view.n = Math.min(this.n, panel.steps);
    view.title.textContent = panel.title ?? "";
    view.tokens = panel.rounds ? roundTokens(panel, view.n) : tokensAt(panel, view.n);
    view.now = panel.moments ? moment(panel, view.n) : null;
    this.drawSaid(view);
    this.drawText(view);
    this.drawTables(view);
    this.drawDetail(view, this.shown(view));
    this.point(view, null);
  }

  drawSaid(view) {
    const { panel, now } = view;
    if (panel.rounds) return view.said.replaceChildren(panel.rounds[view.n].said);
    const words = panel.words;
    if (!now) return view.said.replaceChildren(words.counting);
    if (!now.winner) return view.said.replaceChildren(...fill(words.start, { tokens: this.number.format(now.tokens) }));
    const [left, right, count, score] = now.winner;
    const values = {
      n: this.number.format(now.n), left: this.chip(panel, left), right: this.chip(panel, right),
      made: this.chip(panel, now.made, "fresh"), count: this.number.format(count), score: this.number.format(score),
      tokens: this.number.format(now.tokens), formed: this.number.format(now.formed),
      merge: this.number.format(panel.entries[now.made][MERGE]),
    };
    if (now.runner_up) {
      const [l, r, c, s] = now.runner_up;
      values.runner_left = this.chip(panel, l);
      values.runner_right = this.chip(panel, r);
      values.runner_count = this.number.format(c);
      values.runner_score = this.number.format(s);
      values.margin = this.number.format(count - c);
    }
    values.tied = this.number.format(now.tied);
    const sentence = now.tied > 1 ? words.tied : now.runner_up ? words.won : words.alone;
    view.said.replaceChildren(...fill(sentence, values));
  }

  drawText(view) {
    const { panel, tokens, text } = view;
    const next = view.n < panel.steps && view.now ? view.now.pairs[0] : null;
    const nodes = [];
    tokens.forEach(([entry, , , fresh, begins], i) => {
      // Lines end between words where there are any, else after any token.
      if (i && (begins || !panel.gap)) nodes.push(panel.gap ? " " : element("wbr"));
      nodes.push(this.token(panel, entry, fresh ? "fresh" : ""));
      if (/\n$/.test(panel.entries[entry][TEXT])) nodes.push(element("br"));
    });
    text.replaceChildren(...nodes);
    view.nodes = nodes.filter((node) => node.dataset?.entry !== undefined);
    if (next) this.mark(view, next[0], next[1], "next");
    if (panel.more) text.append(element("span", "more", ` ${panel.more}`));
  }

  // A token in the text; single symbols stay grey, so that what has been merged stands out.
  token(panel, entry, extra = "") {
    const [id, text, , left, , , , known] = panel.entries[entry];
    const single = left < 0 && !panel.coloured;
    const node = element("bdi", `token ${single ? "single" : ""} ${known ? "" : "unknown"} ${extra}`, ...letters(text));
    node.dataset.entry = entry;
    if (this.data.stacked) node.title = this.facts(panel, entry).map(([name, value]) => `${name} ${value}`).join(" · ");
    if (!single) node.style.setProperty("--hue", this.data.palette[id % this.data.palette.length]);
    return node;
  }

  chip(panel, entry, extra = "") {
    const node = this.token(panel, entry, `chip ${extra}`);
    return node;
  }

  // Mark the places in the text where two tokens stand side by side.
  mark(view, left, right, name) {
    const { tokens, nodes, panel } = view;
    for (let i = 0; i + 1 < tokens.length; i++) {
      const together = tokens[i][0] === left && tokens[i + 1][0] === right;
      if (!together || tokens[i + 1][4]) continue;
      nodes[i].classList.add(name, `${name}-left`);
      nodes[i + 1].classList.add(name, `${name}-right`);
      if (left === right) i++;
    }
  }

  drawTables(view) {
    const { panel, before, after, now } = view;
    const { words } = panel;
    before.hidden = !panel.both;
    after.hidden = !panel.table;
    view.detail.hidden = this.data.stacked;
    if (panel.rounds) return this.drawPieces(view);
    if (!panel.table) return;
    if (panel.fired) return this.drawFirings(view);
    const earlier = view.n > 0 ? moment(panel, view.n - 1) : null;
    if (panel.both) {
      const title = earlier ? fill(words.before, { n: this.number.format(view.n) }) : [words.before_none];
      this.drawPairs(view, before, title, earlier, null, now);
    }
    const title = view.n < panel.steps ? fill(words.after, { n: this.number.format(view.n) }) : [words.after_last];
    this.drawPairs(view, after, title, now, earlier, null);
  }

  drawPairs(view, place, title, shown, earlier, won) {
    const { panel } = view;
    const { words } = panel;
    const rows = shown ? shown.pairs : [];
    const value = panel.by === "score" ? 3 : 2;
    const top = Math.max(...rows.map((row) => row[value]), 1e-12);
    const known = new Map((earlier?.pairs ?? []).map((row) => [`${row[0]} ${row[1]}`, row]));
    const scale = won?.winner ? won.winner[value] : null;
    const list = rows.map((row, i) => {
      const old = known.get(`${row[0]} ${row[1]}`);
      const bar = element("span", "fill");
      bar.style.width = `${(100 * row[value]) / top}%`;
      const change = earlier && old && old[2] !== row[2] ? this.signed(row[2] - old[2]) : "";
      const line = element("li", i === 0 && (won || view.n < panel.steps) ? "best" : "",
        element("span", "pair", this.chip(panel, row[0]), element("span", "plus", "+"), this.chip(panel, row[1])),
        element("span", "track", bar), element("span", "count", this.number.format(row[value]), element("i", "", change)));
      if (scale !== null && row[value] === scale && won.tied > 1) line.classList.add("tie");
      line.tabIndex = 0;
      line.onpointerenter = line.onfocus = () => this.pointPair(view, row[0], row[1]);
      line.onpointerleave = line.onblur = () => this.point(view, null);
      return line;
    });
    const note = shown ? fill(words.distinct, { distinct: this.number.format(shown.distinct) }) : [words.counting];
    if (shown && !rows.length) list.push(element("li", "empty", words.none));
    place.replaceChildren(element("h4", "", ...title), element("ol", "", ...list), element("p", "note", ...note));
    place.style.setProperty("--rows", panel.rows);
  }

  drawFirings(view) {
    const { panel, after } = view;
    const list = panel.moments.slice(1).map((fired, k) => {
      const [left, right] = fired.winner;
      const line = element("li", k + 1 === view.n ? "best" : k + 1 > view.n ? "later" : "",
        element("span", "number", this.number.format(panel.entries[fired.made][MERGE])),
        element("span", "pair", this.chip(panel, left), element("span", "plus", "+"), this.chip(panel, right),
          element("span", "plus", "→"), this.chip(panel, fired.made)));
      line.tabIndex = 0;
      line.onclick = () => { this.pause(); this.go(k + 1); };
      line.onkeydown = (event) => { if (event.key === "Enter") line.click(); };
      return line;
    });
    after.replaceChildren(element("h4", "", panel.words.after), element("ol", "fired", ...list));
    const best = after.querySelector(".best");
    const ol = after.querySelector("ol");
    if (best) ol.scrollTop = best.offsetTop - ol.clientHeight / 2;
  }

  drawPieces(view) {
    const { panel, after } = view;
    const round = panel.rounds[view.n];
    const top = Math.max(...round.rows.map((row) => row[1]), 1e-12);
    const list = round.rows.map(([entry, value, pruned]) => {
      const bar = element("span", "fill");
      bar.style.width = `${(100 * value) / top}%`;
      const line = element("li", pruned ? "pruned" : "",
        element("span", "pair", this.chip(panel, entry)), element("span", "track", bar),
        element("span", "count", this.number.format(value)));
      line.onpointerenter = () => this.pointEntry(view, entry);
      line.onpointerleave = () => this.point(view, null);
      return line;
    });
    after.replaceChildren(element("h4", "", round.title), element("ol", "", ...list), element("p", "note", round.note));
    after.style.setProperty("--rows", panel.rows);
  }

  signed(value) {
    return ` ${value > 0 ? "+" : "−"}${this.number.format(Math.abs(value))}`;
  }

  // ---- pointing

  shown(view) {
    const pinned = this.pinned.get(view);
    if (pinned !== undefined) return pinned;
    if (view.now && view.now.made >= 0) return view.now.made;
    return view.panel.rounds ? undefined : view.tokens[0]?.[0];
  }

  point(view, token) {
    if (token) return this.pointEntry(view, Number(token.dataset.entry));
    this.pointEntry(view, undefined);
    view.nodes.forEach((node) => node.classList.remove("here", "here-left", "here-right"));
  }

  pointEntry(view, entry) {
    view.nodes.forEach((node) => node.classList.toggle("same", Number(node.dataset.entry) === entry));
    if (view.panel.fired) this.markFirings(view, entry);
    this.drawDetail(view, entry ?? this.shown(view));
  }

  // Mark the steps that went into a token.
  markFirings(view, entry) {
    const parts = new Set();
    const collect = (place) => {
      if (place === undefined || place < 0 || parts.has(place)) return;
      parts.add(place);
      collect(view.panel.entries[place][LEFT]);
      collect(view.panel.entries[place][RIGHT]);
    };
    collect(entry);
    view.after.querySelectorAll("li").forEach((line, k) => {
      line.classList.toggle("used", parts.has(view.panel.moments[k + 1].made));
    });
  }

  pointPair(view, left, right) {
    this.point(view, null);
    this.mark(view, left, right, "here");
  }

  drawDetail(view, entry) {
    const { panel, detail } = view;
    if (detail.hidden) return;
    if (entry === undefined || !panel.entries[entry]) {
      detail.shown = undefined;
      return detail.replaceChildren(element("p", "note", panel.words.point));
    }
    if (detail.shown === entry && detail.panel === panel) return;
    detail.shown = entry;
    detail.panel = panel;
    detail.replaceChildren(
      element("h4", "", ...fill(panel.words.token, { token: this.chip(panel, entry) })),
      element("dl", "", ...this.facts(panel, entry).map(([name, value]) =>
        element("div", "", element("dt", "", name), element("dd", "", value)))),
      element("div", "tree", this.tree(panel, entry)),
    );
  }

  facts(panel, entry) {
    const [id, , bytes, , , merge, count, known] = panel.entries[entry];
    const { words } = panel;
    const facts = [[words.bytes, bytes || "–"]];
    if (panel.ids) facts.unshift([words.id, String(id)]);
    if (!known) facts.push([words.origin, words.unknown]);
    else if (merge) facts.push([words.origin, fill(words.made, { merge: this.number.format(merge) }).join("")]);
    else if (!panel.coloured) facts.push([words.origin, words.alphabet]);
    if (count) facts.push([words.count, this.number.format(count)]);
    return facts;
  }

  tree(panel, entry) {
    const [, , , left, right, merge] = panel.entries[entry];
    const node = element("div", "node", this.chip(panel, entry));
    if (left < 0) return node;
    node.append(element("span", "by", this.number.format(merge)),
      element("div", "parts", this.tree(panel, left), this.tree(panel, right)));
    return node;
  }
}

function moment(panel, n) {
  const found = panel.moments[n - panel.moments[0].n];
  return found && found.n === n ? found : null;
}

function roundTokens(panel, n) {
  const round = panel.rounds[n];
  const starts = new Set(round.words);
  return round.tokens.map((entry, i) => [entry, i, i, round.fresh?.includes(entry) ?? false, starts.has(i)]);
}

// Drawn, not typed: the play and step signs of typefaces differ too much.
const SHAPES = {
  first: "M5 5h2v14H5zM19 5v14L8 12z", last: "M17 5h2v14h-2zM5 5l11 7L5 19z",
  back: "M16 5v14L6 12z", forward: "M8 5l10 7-10 7z", play: "M7 4l13 8-13 8z", pause: "M6 5h4v14H6zM14 5h4v14h-4z",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

export default function (component) {
  const root = component.parentElement.querySelector(".stepper");
  let stepper = states.get(root);
  if (!stepper) states.set(root, (stepper = new Stepper(root)));
  stepper.receive(component);
}
