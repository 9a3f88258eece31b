// Blocks of bytes: a JSON header and arrays of numbers. This file stands before the script of a component that
// asks for it (dlviz/ui/components/__init__.py).

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
