// What the components that draw pictures share: packed bytes, palettes, pictures of small planes, sentences.
// It is put in front of their own source: a component's module is one text and imports nothing.

/** Read a block of bytes: a JSON header and its arrays. */
export function decode(bytes) {
  const block = bytes.slice().buffer; // a copy, because the arrays must start at a multiple of four
  const length = new DataView(block).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(block, 4, length)));
  const types = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };
  const arrays = {};
  for (const [name, { type, shape, offset }] of Object.entries(header.arrays)) {
    const count = shape.reduce((a, b) => a * b, 1);
    arrays[name] = { data: new types[type](block, 4 + length + offset, count), shape };
  }
  return { header, arrays };
}

/** Whether two blocks of bytes are the same: then nothing has to be drawn again. */
export function same(a, b) {
  return Boolean(a) && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** 256 colours along a palette's anchors. */
export function colours(stops) {
  const rgb = stops.map((stop) => [1, 3, 5].map((i) => parseInt(stop.slice(i, i + 2), 16)));
  return Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (rgb.length - 1);
    const low = Math.min(Math.floor(place), rgb.length - 2);
    return rgb[low].map((value, k) => Math.round(value + (place - low) * (rgb[low + 1][k] - value)));
  });
}

/** A canvas of one pixel a cell; `colour(i)` is the red, green and blue of pixel `i` in reading order. */
export function canvasOf(width, height, colour) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const { data } = image;
  for (let i = 0, k = 0; i < width * height; i++, k += 4) {
    const rgb = colour(i);
    data[k] = rgb[0];
    data[k + 1] = rgb[1];
    data[k + 2] = rgb[2];
    data[k + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A sentence with its {placeholders} filled. */
export function say(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
