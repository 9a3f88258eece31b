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

// What goes by and is not kept: moments of a computation, for those who watch it (dlviz/ui/components/bytes_live.py).
const channels = (globalThis.dlvizChannels ??= new Map());

/** Hand bytes to all who follow the channel now. */
export function publish(channel, bytes) {
  for (const take of channels.get(channel) ?? []) take(bytes);
}

/** Call `take` with all that is published there, until the function that comes back is called. */
export function subscribe(channel, take) {
  if (!channels.has(channel)) channels.set(channel, new Set());
  channels.get(channel).add(take);
  return () => channels.get(channel).delete(take);
}
