// In: `--proto-numbers` or `--decisions`. Out: proto/numbers.json or docs/decisions/README.md anew.
// Never: runs by itself; a change of these files is a person's decision and is seen in review.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decisionsIndex } from './rules/docs.ts';
import { parseProto } from './rules/proto.ts';
import { listFiles, readSource, root } from './tree.ts';

const writers: Readonly<Record<string, () => void>> = {
  '--proto-numbers': () => {
    const protos = listFiles().filter((path) => path.endsWith('.proto'));
    const numbers = Object.fromEntries(
      protos.map((path) => [path, parseProto(readSource(path).text).numbers]),
    );
    writeFileSync(join(root, 'proto/numbers.json'), `${JSON.stringify(numbers, undefined, 2)}\n`);
  },
  '--decisions': () => {
    const records = listFiles().filter((path) => /^docs\/decisions\/\d/.test(path));
    writeFileSync(join(root, 'docs/decisions/README.md'), decisionsIndex(records.map(readSource)));
  },
};

const [flag = ''] = process.argv.slice(2);
const write = writers[flag];
if (write === undefined) {
  process.stderr.write(`usage: node test/repo/write.ts ${Object.keys(writers).join(' | ')}\n`);
  process.exitCode = 2;
} else write();
