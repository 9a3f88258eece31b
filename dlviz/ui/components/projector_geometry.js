// The arithmetic of a cloud of points: lenses, turns, lassos, labels, searches. No page here: the tests run these
// functions under node. It is put in front of the projector's own source.

const FIELD = 0.7; // tangent of half the angle of view

/** Places in three coordinates, most of them between -1 and 1; `extent` gives the middle and the scale. */
export function framed(points, dims, { middle, scale } = extent(points, dims)) {
  const count = points.length / dims;
  const places = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) for (let k = 0; k < dims; k++) places[3 * i + k] = (points[dims * i + k] - middle[k]) / scale;
  return places;
}

/** The middle of a cloud and its size, a few strays left out. */
export function extent(points, dims) {
  const count = points.length / dims;
  const step = Math.max(1, Math.floor(count / 4000));
  const middle = [0, 0, 0];
  let scale = 1e-9;
  for (let k = 0; k < dims; k++) {
    const sample = [];
    for (let i = 0; i < count; i += step) sample.push(points[dims * i + k]);
    sample.sort((a, b) => a - b);
    const tail = sample.length >= 200 ? Math.floor(0.002 * sample.length) : 0;
    const [low, high] = [sample[tail], sample[sample.length - 1 - tail]];
    middle[k] = (low + high) / 2;
    scale = Math.max(scale, (high - low) / 2);
  }
  return { middle, scale: scale > 1e-8 ? scale : 1 };
}

/** The matrix (column by column) that takes places to the screen's clip space. */
export function lens({ dims, centre, zoom, turn }, width, height) {
  const short = Math.min(width, height);
  const [sx, sy] = [(0.92 * short) / width, (0.92 * short) / height];
  const [x, y, z] = centre;
  if (dims < 3) return [zoom * sx, 0, 0, 0, 0, zoom * sy, 0, 0, 0, 0, 0, 0, -x * zoom * sx, -y * zoom * sy, 0, 1];
  const r = turn;
  const far = 1 / (FIELD * zoom); // how far the eye stands from the centre
  const [near, last] = [far * 0.02, far + 12];
  const [a, b] = [(last + near) / (last - near), (-2 * last * near) / (last - near)];
  const rows = [0, 1, 2].map((k) => [r[3 * k], r[3 * k + 1], r[3 * k + 2]]);
  const shift = rows.map((row) => -(row[0] * x + row[1] * y + row[2] * z));
  const [fx, fy] = [sx / FIELD, sy / FIELD];
  const column = (k) => [fx * rows[0][k], fy * rows[1][k], -a * rows[2][k], -rows[2][k]];
  return [...column(0), ...column(1), ...column(2), fx * shift[0], fy * shift[1], a * (far - shift[2]) + b, far - shift[2]];
}

/** Where places stand on the screen: x, y in pixels and the depth (1 in the plane); NaN behind the eye. */
export function onScreen(places, m, width, height, out) {
  for (let i = 0; i < places.length; i += 3) {
    const [x, y, z] = [places[i], places[i + 1], places[i + 2]];
    const w = m[3] * x + m[7] * y + m[11] * z + m[15];
    const front = w > 1e-4;
    out[i] = front ? (0.5 + (0.5 * (m[0] * x + m[4] * y + m[8] * z + m[12])) / w) * width : NaN;
    out[i + 1] = front ? (0.5 - (0.5 * (m[1] * x + m[5] * y + m[9] * z + m[13])) / w) * height : NaN;
    out[i + 2] = w;
  }
  return out;
}

/** A turn about the screen's axes, put before another one; three rows of three. */
export function turned(turn, right, up) {
  const [c, s, d, t] = [Math.cos(right), Math.sin(right), Math.cos(up), Math.sin(up)];
  const next = [c, 0, s, t * s, d, -t * c, -d * s, t, d * c];
  const out = new Array(9).fill(0);
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) for (let k = 0; k < 3; k++) out[3 * i + j] += next[3 * i + k] * turn[3 * k + j];
  return upright(out);
}

/** Rows made orthogonal and of length one again: many small turns add up their errors. */
function upright([a, b, c, d, e, f]) {
  const first = Math.hypot(a, b, c);
  const x = [a / first, b / first, c / first];
  const along = x[0] * d + x[1] * e + x[2] * f;
  const y = [d - along * x[0], e - along * x[1], f - along * x[2]];
  const second = Math.hypot(...y);
  const u = y.map((value) => value / second);
  return [...x, ...u, x[1] * u[2] - x[2] * u[1], x[2] * u[0] - x[0] * u[2], x[0] * u[1] - x[1] * u[0]];
}

/** The shown point nearest to a place on the screen, within `reach` pixels; in space the one in front of equals. */
export function pointAt(screen, hidden, x, y, reach) {
  let found = -1;
  let least = reach * reach;
  for (let i = 0, k = 0; k < screen.length; i++, k += 3) {
    const [dx, dy] = [screen[k] - x, screen[k + 1] - y];
    const distance = dx * dx + dy * dy;
    if (distance < least && !hidden[i]) [least, found] = [distance, i];
  }
  return found;
}

/** Whether a place lies inside a closed line, by the parity of crossings. */
export function within(line, x, y) {
  let inside = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [[ax, ay], [bx, by]] = [line[i], line[j]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** Shown points inside a line drawn on the screen. */
export function lassoed(screen, hidden, line) {
  const xs = line.map(([x]) => x);
  const ys = line.map(([, y]) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const rows = [];
  for (let i = 0, k = 0; k < screen.length; i++, k += 3) {
    const [x, y] = [screen[k], screen[k + 1]];
    if (x >= left && x <= right && y >= top && y <= bottom && !hidden[i] && within(line, x, y)) rows.push(i);
  }
  return rows;
}

/** Boxes that do not touch: each candidate, in the order given, is kept where its box is free. */
export class Shelf {
  constructor(width, height, cell = 32) {
    Object.assign(this, { width, height, cell, across: Math.ceil(width / cell) + 1, boxes: new Map() });
  }

  /** Take the box if nothing stands there; a box that leaves the picture is refused. */
  take(left, top, right, bottom) {
    if (left < 0 || top < 0 || right > this.width || bottom > this.height) return false;
    const box = [left, top, right, bottom];
    const cells = this.cells(box);
    for (const cell of cells) {
      for (const [l, t, r, b] of this.boxes.get(cell) ?? []) if (left < r && right > l && top < b && bottom > t) return false;
    }
    for (const cell of cells) this.boxes.set(cell, [...(this.boxes.get(cell) ?? []), box]);
    return true;
  }

  cells([left, top, right, bottom]) {
    const found = [];
    for (let row = Math.floor(top / this.cell); row <= Math.floor(bottom / this.cell); row++) {
      for (let column = Math.floor(left / this.cell); column <= Math.floor(right / this.cell); column++) found.push(row * this.across + column);
    }
    return found;
  }
}

/** Without capitals and accents: what a search goes by. */
export const folded = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");

/** Rows whose name holds what is searched: names that begin with it first, the shortest first. */
export function matches(names, query) {
  const wanted = folded(query.trim());
  if (!wanted) return [];
  const found = [];
  names.forEach((name, row) => {
    const at = name.indexOf(wanted);
    if (at >= 0) found.push({ row, rank: (at ? 1000 : 0) + name.length });
  });
  return found.sort((a, b) => a.rank - b.rank || a.row - b.row).map(({ row }) => row);
}

/** Rows as one bit each, in base64. */
export function bits(rows, count) {
  const bytes = new Uint8Array(Math.ceil(count / 8));
  for (const row of rows) bytes[row >> 3] |= 1 << (row & 7);
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

/** The red, green and blue of a colour written as #rrggbb, rgb(...) or rgba(...). */
export function rgb(colour) {
  if (colour.startsWith("#")) return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return (colour.match(/[\d.]+/g) ?? [128, 128, 128]).slice(0, 3).map(Number);
}
