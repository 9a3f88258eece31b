// A network as a row of bars: hover one to read about its layer, click it (or arrows and Enter) to go there.

/** On which line each label stands: the first where it does not touch its neighbour on the left. */
export function lines(spans, gap) {
  const ends = [];
  return spans.map(([left, right]) => {
    let line = ends.findIndex((end) => left >= end + gap);
    if (line < 0) line = ends.length;
    ends[line] = right;
    return line;
  });
}

class Strip {
  constructor(root) {
    this.root = root;
    this.bars = root.querySelector(".bars");
    this.stages = root.querySelector(".stages");
    this.told = root.querySelector(".told");
    this.over = -1;
    this.listen();
  }

  show(data, pick) {
    this.pick = pick;
    const { chosen, ...network } = data;
    const drawn = JSON.stringify(network);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.network = network;
      this.build();
    }
    this.mark(network.bars.findIndex((bar) => bar.name === chosen));
  }

  build() {
    const { title, bars, kinds, stages, bar_width: width } = this.network;
    this.over = -1;
    this.bars.setAttribute("aria-label", title);
    this.root.querySelector(".kinds").replaceChildren(
      ...kinds.map(({ name, colour }) => {
        const item = element("li", "", name);
        item.style.setProperty("--kind", colour);
        return item;
      }),
    );
    this.slots = bars.map((bar, i) => {
      const slot = element("div", "slot");
      slot.dataset.place = i;
      slot.setAttribute("role", "option");
      slot.setAttribute("aria-label", bar.told);
      slot.id = `layer-${i}`;
      slot.style.left = `${bar.left}%`;
      slot.style.width = `${width}%`;
      const filled = slot.appendChild(element("div", "bar"));
      filled.style.height = `${bar.height}%`;
      filled.style.background = kinds[bar.kind].colour;
      return slot;
    });
    this.bars.replaceChildren(...this.slots);
    this.labels = stages.map(({ lines: said }) => {
      const label = element("div", "stage");
      label.append(...said.map((text, i) => element(i ? "span" : "b", "", text)));
      return label;
    });
    const rules = stages.map(({ from, to }) => {
      const rule = element("div", "rule");
      rule.style.left = `${from}%`;
      rule.style.width = `${to - from}%`;
      return rule;
    });
    this.stages.replaceChildren(...rules, ...this.labels);
    this.arrange();
  }

  /** Labels under the middle of their stages, inside the frame, on as many lines as they need. */
  arrange() {
    const width = this.stages.clientWidth;
    if (!width) return;
    const sizes = this.labels.map((label) => [label.offsetWidth, label.offsetHeight]);
    const spans = this.network.stages.map(({ from, to }, i) => {
      const middle = ((from + to) / 200) * width;
      const left = Math.max(0, Math.min(width - sizes[i][0], middle - sizes[i][0] / 2));
      return [left, left + sizes[i][0]];
    });
    const tall = Math.max(0, ...sizes.map(([, height]) => height)) + 4;
    const line = lines(spans, 8);
    this.labels.forEach((label, i) => {
      label.style.left = `${spans[i][0]}px`;
      label.style.top = `${8 + line[i] * tall}px`;
    });
    this.stages.style.height = `${8 + (Math.max(0, ...line) + 1) * tall}px`;
  }

  mark(place) {
    this.chosen = place;
    this.slots.forEach((slot, i) => slot.setAttribute("aria-selected", i === place));
    this.hover(this.over);
  }

  hover(place) {
    this.over = place;
    this.slots.forEach((slot, i) => slot.classList.toggle("over", i === place));
    const shown = place >= 0 ? place : this.chosen;
    this.told.textContent = this.network.bars[shown]?.told ?? "";
    if (shown >= 0) this.bars.setAttribute("aria-activedescendant", this.slots[shown].id);
  }

  choose(place) {
    if (place < 0 || place === this.chosen) return;
    this.mark(place);
    this.pick(this.network.bars[place].name);
  }

  listen() {
    const placeOf = (event) => Number(event.target.closest(".slot")?.dataset.place ?? -1);
    this.bars.addEventListener("pointermove", (event) => {
      const place = placeOf(event);
      if (place !== this.over) this.hover(place);
    });
    this.bars.addEventListener("pointerleave", () => this.hover(-1));
    this.bars.addEventListener("blur", () => this.hover(-1));
    this.bars.addEventListener("click", (event) => this.choose(placeOf(event)));
    this.bars.addEventListener("keydown", (event) => this.key(event));
    this.observer = new ResizeObserver(() => this.network && this.arrange());
    this.observer.observe(this.root);
  }

  key(event) {
    const here = this.over >= 0 ? this.over : Math.max(0, this.chosen);
    const last = this.slots.length - 1;
    const moves = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last };
    if (event.key in moves) this.hover(Math.max(0, Math.min(last, moves[event.key])));
    else if (event.key === "Enter" || event.key === " ") this.choose(here);
    else return;
    event.preventDefault();
  }
}

function element(kind, name, text) {
  const made = document.createElement(kind);
  made.className = name;
  if (text) made.textContent = text;
  return made;
}

const strips = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".network");
  if (!strips.has(root)) strips.set(root, new Strip(root));
  strips.get(root).show(data, (name) => setTriggerValue("picked", name));
  return () => {
    strips.get(root)?.observer.disconnect();
    strips.delete(root);
  };
}
