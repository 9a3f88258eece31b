// A strip of pictures with a player. All frames are here: playing, stepping and scrubbing ask the server for nothing.

const SHAPES = {
  back: "M16 5v14L6 12z", forward: "M8 5l10 7-10 7z", play: "M7 4l13 8-13 8z", pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  loop: "M7 7h9V4l5 4.5L16 13v-3H9v5H6V8a1 1 0 011-1zM17 17H8v3l-5-4.5L8 11v3h7V9h3v7a1 1 0 01-1 1z",
};
const SPEEDS = [1, 2, 4, 6, 10, 15, 25];
const TELL_AFTER = 250; // ms of rest before the server hears where the visitor stands
const THUMB = 3.4; // rem

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

class Film {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.${name}`);
    this.slider = this.find("slider");
    this.strip = this.find("strip");
    this.listen();
  }

  receive({ data, setStateValue }) {
    this.tell = setStateValue;
    if (same(this.bytes, data)) return this.paintStrip(); // the theme has changed, or nothing
    const { header, arrays } = decode(data);
    const { frames } = arrays;
    const another = !this.frames || this.header.index !== header.index || this.header.film !== header.film;
    const first = !this.frames;
    Object.assign(this, { bytes: data, header, frames });
    this.count = frames.shape[0];
    if (another) {
      this.pause();
      this.n = header.index;
      this.told = undefined;
      this.pictures = this.paint();
    }
    if (first) this.looping = header.loop;
    this.label();
    this.paintStrip();
    this.draw();
  }

  /** The frames as pictures, once. */
  paint() {
    const [count, height, width, colours] = this.frames.shape;
    const { data } = this.frames;
    const grey = (value) => (this.header.invert ? 255 - value : value);
    return Array.from({ length: count }, (_, t) =>
      canvasOf(width, height, (i) => {
        const at = t * width * height + i;
        return colours ? data.subarray(3 * at, 3 * at + 3) : [grey(data[at]), grey(data[at]), grey(data[at])];
      }));
  }

  label() {
    const { words, lang, title, speed, strip } = this.header;
    this.number = new Intl.NumberFormat(lang);
    this.root.lang = lang;
    this.root.setAttribute("aria-label", title);
    this.root.classList.toggle("single", this.count === 1);
    this.find("title").textContent = title;
    this.find("scroller").hidden = !strip;
    for (const name of ["back", "forward", "loop"]) this.name(name, name);
    this.find("loop").setAttribute("aria-pressed", String(this.looping));
    this.slider.max = this.count - 1;
    this.slider.setAttribute("aria-label", words.slider);
    const select = this.find("speed");
    const chosen = select.value || String(speed);
    const offered = [...new Set([...SPEEDS, speed])].sort((a, b) => a - b);
    select.replaceChildren(...offered.map((rate) =>
      new Option(say(words.per_second, { count: this.number.format(rate) }), String(rate), false, String(rate) === chosen)));
    select.setAttribute("aria-label", words.speed);
  }

  name(button, word) {
    const node = this.find(button);
    node.title = this.header.words[word];
    node.setAttribute("aria-label", this.header.words[word]);
    if (node.dataset.icon !== word) node.replaceChildren(icon(word));
    node.dataset.icon = word;
  }

  // ---- moving

  listen() {
    this.find("back").onclick = () => this.go(this.n - 1);
    this.find("forward").onclick = () => this.go(this.n + 1);
    this.find("play").onclick = () => (this.playing ? this.rest() : this.play());
    this.find("loop").onclick = () => {
      this.looping = !this.looping;
      this.label();
    };
    this.slider.oninput = () => this.go(Number(this.slider.value));
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.strip.addEventListener("pointerdown", (event) => this.go(this.frameAt(event)));
    this.strip.addEventListener("pointermove", (event) => event.buttons === 1 && event.pointerType === "mouse" && this.go(this.frameAt(event)));
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.target === this.find("speed")) return;
    if (step) this.go(this.n + step);
    else if (event.key === "Home" || event.key === "End") this.go(event.key === "Home" ? 0 : this.count - 1);
    else return;
    event.preventDefault();
  }

  go(n) {
    this.pause();
    this.n = Math.max(0, Math.min(this.count - 1, n));
    this.draw();
    this.report();
  }

  play() {
    if (this.n >= this.count - 1) this.n = 0;
    this.playing = true;
    let shown = null;
    const frame = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      shown ??= now;
      if (now - shown >= 1000 / Number(this.find("speed").value)) {
        shown = now;
        this.n = (this.n + 1) % this.count;
      }
      this.draw();
      if (this.n === this.count - 1 && !this.looping) this.rest();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    this.draw();
  }

  pause() {
    this.playing = false;
  }

  rest() {
    this.pause();
    this.draw();
    this.report();
  }

  report() {
    if (!this.header.report) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.told === this.n) return;
      this.told = this.n;
      this.tell("index", { film: this.header.film, n: this.n });
    }, TELL_AFTER);
  }

  // ---- drawing

  draw() {
    const { words, labels, smooth, side, title } = this.header;
    const picture = this.find("picture");
    const source = this.pictures[this.n];
    const scale = window.devicePixelRatio || 1;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const ratio = source.width / source.height;
    const wide = Math.min(side * rem * ratio, this.root.clientWidth || side * rem * ratio);
    const size = [Math.round(wide * scale), Math.round((wide / ratio) * scale)];
    if (picture.width !== size[0] || picture.height !== size[1]) [picture.width, picture.height] = size;
    Object.assign(picture.style, { width: `${wide}px`, height: `${wide / ratio}px` });
    const context = picture.getContext("2d");
    context.imageSmoothingEnabled = smooth;
    context.drawImage(source, 0, 0, ...size);
    const sentence = labels[this.n] ?? "";
    picture.setAttribute("aria-label", [title, sentence].filter(Boolean).join(". "));
    this.find("label").textContent = sentence;
    const where = { n: this.number.format(this.n + 1), total: this.number.format(this.count) };
    this.find("where").textContent = say(words.where, where);
    this.slider.value = this.n;
    this.slider.setAttribute("aria-valuetext", sentence || this.find("where").textContent);
    this.name("play", this.playing ? "pause" : "play");
    this.root.dataset.n = this.n;
    this.mark();
  }

  paintStrip() {
    if (!this.header.strip || this.count < 2) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const scale = window.devicePixelRatio || 1;
    const { width, height } = this.pictures[0];
    const tall = THUMB * rem;
    this.thumb = { wide: (tall * width) / height, tall, gap: 4 };
    const step = this.thumb.wide + this.thumb.gap;
    const size = [this.count * step + this.thumb.gap, tall + 2 * this.thumb.gap];
    Object.assign(this.strip.style, { width: `${size[0]}px`, height: `${size[1]}px` });
    [this.strip.width, this.strip.height] = size.map((x) => Math.round(x * scale));
    this.marked = null;
    const context = this.strip.getContext("2d");
    context.scale(scale, scale);
    context.imageSmoothingEnabled = width > this.thumb.wide;
    this.pictures.forEach((picture, i) => context.drawImage(picture, this.thumb.gap + i * step, this.thumb.gap, this.thumb.wide, tall));
    this.mark();
  }

  /** A frame around the picture that is shown, kept in view within the strip's own box. */
  mark() {
    if (!this.thumb || !this.header.strip || this.marked === this.n) return;
    const { wide, tall, gap } = this.thumb;
    const step = wide + gap;
    const context = this.strip.getContext("2d");
    const around = (n) => [gap / 2 + n * step, gap / 2, wide + gap, tall + gap];
    const edge = (n, draw) => {
      const [x, y, w, h] = around(n);
      for (const side of [[x - 2, y - 2, w + 4, 4], [x - 2, y + h - 2, w + 4, 4], [x - 2, y - 2, 4, h + 4], [x + w - 2, y - 2, 4, h + 4]]) draw(side);
    };
    if (this.marked !== null && this.marked < this.count) edge(this.marked, (side) => context.clearRect(...side));
    context.fillStyle = getComputedStyle(this.root).getPropertyValue("--st-primary-color");
    edge(this.n, (side) => context.fillRect(...side));
    this.marked = this.n;
    const box = this.strip.parentElement;
    const x = this.n * step;
    if (x < box.scrollLeft) box.scrollLeft = x - step;
    if (x + 2 * step > box.scrollLeft + box.clientWidth) box.scrollLeft = x + 2 * step - box.clientWidth;
  }

  frameAt(event) {
    const x = event.clientX - this.strip.getBoundingClientRect().left;
    return Math.floor((x - this.thumb.gap / 2) / (this.thumb.wide + this.thumb.gap));
  }
}

const films = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".film");
  if (!films.has(root)) films.set(root, new Film(root));
  films.get(root).receive(component);
  return () => {
    films.get(root)?.pause();
    films.delete(root);
  };
}
