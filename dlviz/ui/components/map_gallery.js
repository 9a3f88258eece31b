// All maps of a layer, or all its kernels, as one picture: hover one for its number, click it to choose it.

/** How many tiles stand in a row, and how large: large for few, so that all fit without scrolling if they can. */
export function arrange(count, width, height, gap, ratio) {
  let best = { columns: 1, side: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const side = Math.floor((width + gap) / columns) - gap;
    const tall = side * ratio;
    const rows = Math.ceil(count / columns);
    if (side < 14) break;
    const fits = rows * (tall + gap) - gap <= height;
    best = { columns, side, rows, tall };
    if (fits && side <= 220) return best;
  }
  const smallest = Math.min(26, width);
  if (best.side >= smallest) return best;
  const columns = Math.max(1, Math.floor((width + gap) / (smallest + gap)));
  const side = Math.floor((width + gap) / columns) - gap;
  return { columns, side, rows: Math.ceil(count / columns), tall: side * ratio };
}

class Gallery {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.note = root.querySelector(".note");
    this.scroller = root.querySelector(".scroller");
    this.listen();
  }

  show(bytes, setStateValue) {
    this.setStateValue = setStateValue;
    if (same(this.bytes, bytes)) return;
    this.bytes = bytes;
    const { header, arrays } = decode(bytes);
    Object.assign(this, { header, arrays });
    this.order = [...arrays.order.data];
    this.chosen = header.chosen;
    const number = new Intl.NumberFormat(header.lang, { maximumSignificantDigits: 3 });
    this.write = (x) => number.format(x).replace("-", "\u2212");
    this.root.lang = header.lang;
    this.canvas.setAttribute("aria-label", `${header.words.title}. ${header.words.hint}`);
    this.paint();
    this.draw();
    this.tell(this.order.indexOf(this.chosen));
    this.reveal(this.order.indexOf(this.chosen));
  }

  /** All tiles on one sheet, once: in a square of as many columns as rows, which no browser finds too long. */
  paint() {
    const { tiles } = this.arrays;
    const [count, height, width] = tiles.shape;
    const across = Math.ceil(Math.sqrt(count));
    const place = (i) => {
      const x = i % (across * width);
      const y = Math.floor(i / (across * width));
      const tile = Math.floor(y / height) * across + Math.floor(x / width);
      return (tile * height + (y % height)) * width + (x % width);
    };
    const lut = colours(this.header.palette[this.header.signed ? "diverging" : "sequential"]);
    const none = [0, 0, 0];
    const inColour = (i) => tiles.data.subarray(3 * place(i), 3 * place(i) + 3);
    const colour = tiles.shape.length === 4 ? inColour : (i) => lut[tiles.data[place(i)]] ?? none;
    this.sheet = canvasOf(across * width, Math.ceil(count / across) * height, colour);
    this.cell = { across, width, height };
    this.ratio = height / width;
  }

  draw() {
    const density = window.devicePixelRatio || 1;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const gap = this.order.length > 300 ? 2 : 5;
    const width = this.scroller.clientWidth - 2 * gap;
    if (width < 20) return;
    this.layout = { gap, ...arrange(this.order.length, width, 26 * rem, gap, this.ratio) };
    const { columns, side, rows, tall } = this.layout;
    Object.assign(this.canvas.style, {
      width: `${columns * (side + gap) + gap}px`,
      height: `${rows * (tall + gap) + gap}px`,
    });
    this.canvas.width = Math.round((columns * (side + gap) + gap) * density);
    this.canvas.height = Math.round((rows * (tall + gap) + gap) * density);
    const context = this.canvas.getContext("2d");
    context.scale(density, density);
    this.order.forEach((_, place) => this.tile(context, place));
    this.frame(context, this.order.indexOf(this.chosen), 3);
    if (this.over !== undefined && this.over >= 0) this.frame(context, this.over, 1.5);
  }

  corner(place) {
    const { columns, side, tall, gap } = this.layout;
    return [gap + (place % columns) * (side + gap), gap + Math.floor(place / columns) * (tall + gap)];
  }

  tile(context, place) {
    const { side, tall } = this.layout;
    const [x, y] = this.corner(place);
    const { across, width, height } = this.cell;
    const [column, row] = [this.order[place] % across, Math.floor(this.order[place] / across)];
    context.imageSmoothingEnabled = width > 1.5 * side;
    context.drawImage(this.sheet, column * width, row * height, width, height, x, y, side, tall);
    if (!this.arrays.dead.data[this.order[place]]) return;
    context.strokeStyle = "#fffc";
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, y + tall);
    context.lineTo(x + side, y);
    context.stroke();
  }

  frame(context, place, thick) {
    if (place < 0) return;
    const { side, tall } = this.layout;
    const [x, y] = this.corner(place);
    const style = getComputedStyle(this.root);
    context.strokeStyle = style.getPropertyValue("--st-primary-color").trim();
    context.lineWidth = thick;
    context.strokeRect(x - thick / 2, y - thick / 2, side + thick, tall + thick);
  }

  listen() {
    this.canvas.addEventListener("pointermove", (event) => this.hover(this.placeAt(event)));
    this.canvas.addEventListener("pointerleave", () => this.hover(-1));
    this.canvas.addEventListener("click", (event) => this.choose(this.placeAt(event)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => this.hover(-1));
    this.observer = new ResizeObserver(() => this.layout && this.draw());
    this.observer.observe(this.root);
  }

  placeAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const { columns, side, tall, gap } = this.layout;
    const column = Math.floor((event.clientX - box.left - gap / 2) / (side + gap));
    const place = Math.floor((event.clientY - box.top - gap / 2) / (tall + gap)) * columns + column;
    return column >= 0 && column < columns && place >= 0 && place < this.order.length ? place : -1;
  }

  hover(place) {
    if (place === this.over) return;
    this.over = place;
    this.tell(place >= 0 ? place : this.order.indexOf(this.chosen));
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.draw());
  }

  tell(place) {
    const { words } = this.header;
    if (place < 0) {
      this.note.textContent = words.hint;
      return;
    }
    const number = this.order[place];
    const sentence = this.arrays.dead.data[number] ? words.dead : words.tile;
    this.note.textContent = say(sentence, { number: number + this.header.first, value: this.write(this.arrays.values.data[number]) });
  }

  key(event) {
    const { columns } = this.layout;
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const here = this.over >= 0 ? this.over : Math.max(0, this.order.indexOf(this.chosen));
    if (moves[event.key]) {
      const next = here + moves[event.key];
      if (next >= 0 && next < this.order.length) this.hover(next);
      this.reveal(this.over);
    } else if (event.key === "Home" || event.key === "End") {
      this.hover(event.key === "Home" ? 0 : this.order.length - 1);
      this.reveal(this.over);
    } else if (event.key === "Enter" || event.key === " ") {
      this.choose(here);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Scroll the frame's own box, never the page. */
  reveal(place) {
    if (!this.layout || place < 0) return;
    const [, y] = this.corner(place);
    const { scrollTop, clientHeight } = this.scroller;
    if (y < scrollTop) this.scroller.scrollTop = y - 10;
    if (y + this.layout.tall > scrollTop + clientHeight) this.scroller.scrollTop = y + this.layout.tall - clientHeight + 10;
  }

  choose(place) {
    if (place < 0 || this.order[place] === this.chosen) return;
    this.chosen = this.order[place];
    this.draw();
    this.tell(place);
    this.setStateValue("chosen", { shown: this.header.shown, number: this.chosen });
  }
}

const galleries = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".gallery");
  if (!galleries.has(root)) galleries.set(root, new Gallery(root));
  galleries.get(root).show(data, setStateValue);
  return () => {
    galleries.get(root)?.observer.disconnect();
    galleries.delete(root);
  };
}
