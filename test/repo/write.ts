// In: which of the made files. Out: that file anew: proto/numbers.json, or a page of docs.
// Never: runs by itself; a change of these files is a person's decision and is seen in review.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationPage } from './reference/configuration.ts';
import { metricsPage } from './reference/metrics.ts';
import { restPage } from './reference/rest.ts';
import { decisionsIndex } from './rules/docs.ts';
import { parseProto } from './rules/proto.ts';
import { listFiles, readSource, root } from './tree.ts';

const page = (path: string, text: string): void => writeFileSync(join(root, path), text);

const writers: Readonly<Record<string, () => void | Promise<void>>> = {
  '--proto-numbers': () => {
    const protos = listFiles().filter((path) => path.endsWith('.proto'));
    const numbers = Object.fromEntries(
      protos.map((path) => [path, parseProto(readSource(path).text).numbers]),
    );
    page('proto/numbers.json', `${JSON.stringify(numbers, undefined, 2)}\n`);
  },
  '--decisions': () => {
    const records = listFiles().filter((path) => /^docs\/decisions\/\d/.test(path));
    page('docs/decisions/README.md', decisionsIndex(records.map(readSource)));
  },
  '--configuration': () => page('docs/reference/configuration.md', configurationPage()),
  '--metrics': () => page('docs/reference/metrics.md', metricsPage()),
  '--rest': async () => page('docs/reference/rest.md', await restPage()),
};

const [flag = ''] = process.argv.slice(2);
const write = writers[flag];
if (write === undefined) {
  process.stderr.write(`usage: node test/repo/write.ts ${Object.keys(writers).join(' | ')}\n`);
  process.exitCode = 2;
} else await write();
