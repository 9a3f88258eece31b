// Where large blocks of bytes wait in the browser under their digest (dlviz/ui/components/bytes_once.py), so that
// a component which is shown again with other small things need not be sent them again.

const SHELVES = 16;
const depot = (globalThis.dlvizDepot ??= { blocks: new Map(), waiting: new Map() });

/** Put a block there, and hand it to those who wait for it. */
export function deposit(digest, bytes) {
  depot.blocks.delete(digest);
  depot.blocks.set(digest, bytes);
  for (const old of [...depot.blocks.keys()].slice(0, -SHELVES)) depot.blocks.delete(old);
  for (const take of depot.waiting.get(digest) ?? []) take(bytes);
  depot.waiting.delete(digest);
}

/** Call `take` with the block, at once or when it has come. */
export function collect(digest, take) {
  if (depot.blocks.has(digest)) take(depot.blocks.get(digest));
  else depot.waiting.set(digest, [...(depot.waiting.get(digest) ?? []), take]);
}
