#!/usr/bin/env node
// Runs the sources as they stand. An old Node says so here, before it stumbles over the first type.

const NODE_MAJOR_MIN = 24;
const { node } = process.versions;
if (Number(node.split('.')[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `foreshadow needs Node ${NODE_MAJOR_MIN} or newer and this is ${node}: run it as "npm run foreshadow --", which uses the pinned one\n`,
  );
  process.exit(1);
}
await import('../src/main.ts');
