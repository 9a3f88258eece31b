// What the components that draw graphs share: places to pixels, edges, nodes, labels that keep clear of each other.
// It is put in front of their own source: a component's module is one text and imports nothing.

/** A graph's places on a canvas of any size; the middle of the places is the middle of the canvas. */
export class Sheet {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.zoom = 1;
    this.shift = [0, 0];
  }

  /** Take places, `[x0, y0, x1, y1, ...]`. */
  take(places) {
    this.places = places;
    const xs = places.filter((_, i) => i % 2 === 0);
    const ys = places.filter((_, i) => i % 2);
    const range = (v) => v.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)], [Infinity, -Infinity]);
    this.box = [range(xs), range(ys)];
  }

  /** Fit the canvas to its box on the page; gives its size in pixels of the page. */
  begin() {
    const { clientWidth: wide, clientHeight: high } = this.canvas;
    const scale = window.devicePixelRatio || 1;
    const size = [Math.round(wide * scale), Math.round(high * scale)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) [this.canvas.width, this.canvas.height] = size;
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.clearRect(0, 0, wide, high);
    const [[left, right], [bottom, top]] = this.box;
    const margin = Math.min(44, wide / 9);
    const fit = Math.min((wide - 2 * margin) / Math.max(right - left, 1e-9), (high - 2 * margin) / Math.max(top - bottom, 1e-9));
    this.unit = this.zoom * (Number.isFinite(fit) ? fit : 1);
    this.middle = [(left + right) / 2, (bottom + top) / 2];
    this.size = [wide, high];
    return this.size;
  }

  at(i) {
    return [
      this.size[0] / 2 + (this.places[2 * i] - this.middle[0]) * this.unit + this.shift[0],
      this.size[1] / 2 - (this.places[2 * i + 1] - this.middle[1]) * this.unit + this.shift[1],
    ];
  }

  /** Many lines of one look at once; `pairs` is `[a0, b0, a1, b1, ...]`. */
  lines(pairs, colour, width, alpha = 1) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (let k = 0; k < pairs.length; k += 2) {
      context.moveTo(...this.at(pairs[k]));
      context.lineTo(...this.at(pairs[k + 1]));
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** A line with a head that ends at the rim of the second node. */
  arrow(a, b, colour, width, rim = 9) {
    const [x0, y0] = this.at(a);
    const [x1, y1] = this.at(b);
    const long = Math.hypot(x1 - x0, y1 - y0) || 1;
    const [ux, uy] = [(x1 - x0) / long, (y1 - y0) / long];
    const [x, y] = [x1 - ux * rim, y1 - uy * rim];
    const head = 5 + 1.6 * width;
    const { context } = this;
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x - ux * head * 0.7, y - uy * head * 0.7);
    context.stroke();
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x - ux * head - uy * head * 0.5, y - uy * head + ux * head * 0.5);
    context.lineTo(x - ux * head + uy * head * 0.5, y - uy * head - ux * head * 0.5);
    context.fill();
  }

  dot(i, radius, fill, rim = null, width = 2) {
    const { context } = this;
    context.beginPath();
    context.arc(...this.at(i), radius, 0, 2 * Math.PI);
    if (fill) {
      context.fillStyle = fill;
      context.fill();
    }
    if (rim) {
      context.strokeStyle = rim;
      context.lineWidth = width;
      context.stroke();
    }
  }

  /** Names beside their nodes, the first ones first; one that would lie over another is left out. */
  names(list, ink, ground, size = 0.82) {
    const { context } = this;
    size *= parseFloat(getComputedStyle(document.documentElement).fontSize); // from rem, so that a projector's are larger
    context.font = `${size}px ${getComputedStyle(this.canvas).fontFamily}`;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    const taken = [];
    const named = new Set();
    for (const { node, text, radius = 6, strong = false } of list) {
      if (named.has(node)) continue;
      const short = text.length > 26 ? `${text.slice(0, 25)}…` : text;
      const [x, y] = this.at(node);
      const wide = context.measureText(short).width;
      const options = [[x + radius + 3, y], [x - radius - 3 - wide, y], [x - wide / 2, y - radius - size * 0.7], [x - wide / 2, y + radius + size * 0.7]];
      const inside = ([left, middle]) => left > 1 && left + wide < this.size[0] - 1 && middle > size / 2 && middle < this.size[1] - size / 2;
      const free = ([left, middle]) => taken.every(([l, m, w]) => left > l + w + 2 || left + wide < l - 2 || Math.abs(middle - m) > size);
      const place = options.find((one) => inside(one) && free(one)) ?? (strong ? options[0] : null);
      if (!place) continue;
      taken.push([place[0], place[1], wide]);
      named.add(node);
      context.strokeStyle = ground;
      context.lineWidth = 4;
      context.strokeText(short, ...place);
      context.fillStyle = ink;
      context.fillText(short, ...place);
    }
  }

  /** The node under a pointer, or -1. */
  under(event, reach = 14) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = -1;
    let least = reach * reach;
    for (let i = 0; 2 * i < this.places.length; i++) {
      const [px, py] = this.at(i);
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < least) [best, least] = [i, far];
    }
    return best;
  }
}

/** The neighbours of every node, from pairs. */
export function neighbourhoods(count, pairs) {
  const found = Array.from({ length: count }, () => []);
  for (let k = 0; k < pairs.length; k += 2) {
    found[pairs[k]].push(pairs[k + 1]);
    found[pairs[k + 1]].push(pairs[k]);
  }
  return found;
}

/** The colours of the theme that the page shows now. */
export function inks(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim();
  return { ink: read("--st-text-color"), ground: read("--st-background-color"), line: read("--st-border-color"), primary: read("--st-primary-color") };
}

/** A colour between two, `share` from 0 to 1; both as #rrggbb. */
export function blend(from, to, share) {
  const part = (colour, i) => parseInt(colour.slice(i, i + 2), 16);
  return `rgb(${[1, 3, 5].map((i) => Math.round(part(from, i) + share * (part(to, i) - part(from, i)))).join(",")})`;
}
