// A graph and the picture of its vectors side by side: what is pointed at, chosen or lassoed in one is marked in both.
// Neither picture moves when something is chosen.

/** The nodes whose places lie within a lasso, a list of [x, y] in pixels of the sheet. */
export function within(lasso, count, at) {
  const found = [];
  for (let i = 0; i < count; i++) {
    const [x, y] = at(i);
    let inside = false;
    for (let a = 0, b = lasso.length - 1; a < lasso.length; b = a++) {
      const [[xa, ya], [xb, yb]] = [lasso[a], lasso[b]];
      if (ya > y !== yb > y && x < ((xb - xa) * (y - ya)) / (yb - ya) + xa) inside = !inside;
    }
    if (inside) found.push(i);
  }
  return found;
}

class Twins {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.sheets = [this.find("one"), this.find("two")].map((canvas) => new Sheet(canvas));
    this.picked = new Set();
    this.hover = -1;
    this.off = new Set();
    this.sheets.forEach((sheet) => this.listen(sheet));
    this.find("clear").onclick = () => this.pick([]);
    this.watcher = new ResizeObserver(() => this.data && this.draw());
    this.sheets.forEach((sheet) => this.watcher.observe(sheet.canvas));
  }

  receive({ data, setStateValue }) {
    this.tell = setStateValue;
    if (this.data && this.data.names.length !== data.names.length) this.picked.clear();
    this.data = data;
    this.sheets[0].take(data.places);
    this.sheets[1].take(data.vectors);
    this.around = neighbourhoods(data.names.length, data.edges);
    this.chosen = data.chosen;
    this.label();
    this.draw();
  }

  label() {
    const { words, lang, titles, groups, palette } = this.data;
    this.root.lang = lang;
    this.find("first").textContent = titles[0];
    this.find("second").textContent = titles[1];
    this.find("hint").textContent = words.hint;
    this.find("clear").textContent = words.clear;
    this.find("legend").replaceChildren(...groups.map((name, group) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "chip";
      chip.setAttribute("aria-pressed", String(!this.off.has(group)));
      const dot = document.createElement("i");
      dot.style.background = palette[group % palette.length];
      chip.append(dot, name);
      chip.onclick = () => {
        if (!this.off.delete(group)) this.off.add(group);
        this.label();
        this.draw();
      };
      return chip;
    }));
  }

  // ---- pointing, choosing, lassoing

  listen(sheet) {
    const { canvas } = sheet;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    canvas.addEventListener("pointerdown", (event) => {
      this.lasso = { sheet, points: [place(event)] };
      if (event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.lasso && event.buttons === 1 && event.pointerType === "mouse") {
        this.lasso.points.push(place(event));
        return this.draw();
      }
      const under = sheet.under(event);
      if (under === this.hover) return;
      this.hover = under;
      canvas.style.cursor = under < 0 ? "crosshair" : "pointer";
      this.draw();
    });
    canvas.addEventListener("pointerup", (event) => {
      const points = this.lasso?.points ?? [];
      this.lasso = null;
      if (points.length > 4) return this.pick(within(points, this.data.names.length, (i) => sheet.at(i)));
      const node = sheet.under(event);
      this.choose(node);
    });
    canvas.addEventListener("pointercancel", () => (this.lasso = null));
    canvas.addEventListener("pointerleave", () => {
      if (this.lasso || this.hover < 0) return;
      this.hover = -1;
      this.draw();
    });
  }

  choose(node) {
    if (node < 0) return this.draw();
    this.chosen = node;
    this.draw();
    this.tell("node", { name: this.data.names[node], at: Date.now() });
  }

  pick(nodes) {
    this.picked = new Set(nodes.filter((i) => !this.off.has(this.data.group[i])));
    this.draw();
  }

  // ---- drawing

  draw() {
    const { words, names, group, groups } = this.data;
    this.tint = inks(this.root);
    this.sheets.forEach((sheet, twin) => this.sheet(sheet, twin));
    this.find("clear").hidden = !this.picked.size;
    const told = this.find("picked");
    if (!this.picked.size) return (told.textContent = "");
    const count = groups.map((_, g) => [...this.picked].filter((i) => group[i] === g).length);
    const parts = groups.map((name, g) => [name, count[g]]).filter(([, c]) => c).sort((a, b) => b[1] - a[1]);
    const list = [...this.picked].slice(0, 30).map((i) => names[i]).join(", ");
    told.textContent = this.say(words.picked, {
      count: this.picked.size,
      groups: parts.map(([name, c]) => `${name}: ${c}`).join(", "),
      names: this.picked.size > 30 ? `${list}, …` : list,
    });
  }

  say(sentence, values) {
    return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  sheet(sheet, twin) {
    const { names, group, palette, edges, near } = this.data;
    const { tint } = this;
    const count = names.length;
    const small = count <= 60;
    sheet.begin();
    sheet.lines(edges, tint.ink, 1, (small ? 0.2 : 0.08) * (twin ? 0.5 : 1));
    const focus = this.hover >= 0 ? this.hover : this.chosen;
    const close = focus >= 0 ? this.around[focus] : [];
    if (focus >= 0) sheet.lines(close.flatMap((other) => [focus, other]), tint.ink, 1.6, 0.75);
    const dot = small ? 7 : count <= 300 ? 5 : 3.4;
    for (let i = 0; i < count; i++) {
      const faint = this.off.has(group[i]) || (this.picked.size && !this.picked.has(i));
      sheet.context.globalAlpha = faint ? 0.12 : 1;
      sheet.dot(i, this.picked.has(i) ? dot + 2 : dot, group[i] < 0 ? tint.line : palette[group[i] % palette.length], tint.ground, 1);
    }
    sheet.context.globalAlpha = 1;
    for (const other of close) sheet.dot(other, dot + 2, null, tint.ink, 1.6);
    const labels = [];
    if (focus >= 0) {
      sheet.dot(focus, dot + 4, palette[Math.max(0, group[focus]) % palette.length], tint.ink, 3);
      labels.push({ node: focus, text: names[focus], radius: dot + 5, strong: true });
      if (focus === this.chosen) near.forEach((other) => this.square(sheet, other, dot + 6));
      labels.push(...near.filter(() => focus === this.chosen).map((node) => ({ node, text: names[node], radius: dot + 7 })));
      labels.push(...close.slice(0, 30).map((node) => ({ node, text: names[node], radius: dot + 3 })));
    }
    if (small) labels.push(...names.map((text, node) => ({ node, text, radius: dot })));
    sheet.names(labels, tint.ink, tint.ground, small ? 0.82 : 0.76);
    if (this.lasso?.sheet === sheet) this.trace(sheet.context, this.lasso.points);
  }

  /** The nearest vectors are framed by squares, the neighbours in the graph by rings. */
  square(sheet, node, half) {
    const [x, y] = sheet.at(node);
    sheet.context.strokeStyle = this.tint.primary;
    sheet.context.lineWidth = 2.5;
    sheet.context.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }

  trace(context, points) {
    context.strokeStyle = this.tint.primary;
    context.lineWidth = 2;
    context.setLineDash([6, 4]);
    context.beginPath();
    points.forEach((point, k) => (k ? context.lineTo(...point) : context.moveTo(...point)));
    context.stroke();
    context.setLineDash([]);
  }
}

const pairs = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".twins");
  if (!pairs.has(root)) pairs.set(root, new Twins(root));
  pairs.get(root).receive(component);
  return () => {
    pairs.get(root)?.watcher.disconnect();
    pairs.delete(root);
  };
}
