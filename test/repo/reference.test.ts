import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  cloudEventSchema,
  eventFamilies,
  pairIdOf,
  parseHostId,
  type Decision,
  type EventFamily,
  type IncidentRecord,
  type Outcome,
  type Verdict,
} from '@foreshadow/model';
import { checkValue } from '@foreshadow/runtime';
import { eventSubject } from '@foreshadow/wire';
import { configurationPage } from './reference/configuration.ts';
import { metricsPage } from './reference/metrics.ts';
import { restPage } from './reference/rest.ts';
import { listFiles, readSource } from './tree.ts';

test('the pages that are made from the sources are as they would be made now', async () => {
  const pages = {
    configuration: configurationPage(),
    metrics: metricsPage(),
    rest: await restPage(),
  };
  for (const [name, page] of Object.entries(pages)) {
    const { path, text } = readSource(`docs/reference/${name}.md`);
    assert.equal(text, page, `${path}: run node test/repo/write.ts --${name}`);
  }
});

// Complete by type: the compiler asks for a kind that is new.
const incidentChanges: Readonly<Record<IncidentRecord['change'], true>> = {
  opened: true,
  updated: true,
  decided: true,
  commanded: true,
  outcome: true,
  closed: true,
};
const statuses: Readonly<Record<Verdict['status'], true>> = {
  aligned: true,
  diverging: true,
  diverged: true,
  inconclusive: true,
};
const decisionKinds: Readonly<Record<Decision['kind'], true>> = {
  alert: true,
  restore: true,
  none: true,
};
const outcomeKinds: Readonly<Record<Outcome['kind'], true>> = {
  done: true,
  refused: true,
  failed: true,
  unknown: true,
};
const whats: Readonly<Record<EventFamily, readonly string[]>> = {
  drift: ['appeared', 'changed', 'gone'],
  verdict: Object.keys(statuses),
  incident: Object.keys(incidentChanges),
  decision: Object.keys(decisionKinds),
  command: ['sent', ...Object.keys(outcomeKinds)],
};

const events = readSource('docs/reference/events.md').text;

test('every family of events has its section, subject and types', () => {
  const production = parseHostId('a');
  const shadow = parseHostId('b');
  assert.ok(production !== undefined && shadow !== undefined);
  const pair = pairIdOf(production, shadow);
  for (const family of eventFamilies) {
    const subject = eventSubject(family, pair).replace(pair, '<pair>');
    assert.ok(events.includes(`\n## \`${family}\`\n\n\`${subject}\`.`), family);
  }
  const types = [...events.matchAll(/^\| `com\.foreshadow\.(\w+)\.(\w+)\.v1` \|/gm)];
  assert.deepEqual(
    types.map(([, family, what]) => `${family}.${what}`),
    eventFamilies.flatMap((family) => whats[family].map((what) => `${family}.${what}`)),
  );
});

test('every example of an event is one', () => {
  const examples = [...events.matchAll(/^```json\n(.*?)^```/gms)].map((match): unknown =>
    JSON.parse(match[1] ?? ''),
  );
  assert.equal(examples.length, eventFamilies.length);
  for (const example of examples)
    assert.deepEqual(checkValue(cloudEventSchema, example).mistakes, []);
});

test('the index of docs names every page', () => {
  const index = readSource('docs/README.md').text;
  const pages = listFiles()
    .filter((path) => /^docs\/.*\.md$/.test(path) && !/^docs\/decisions\/\d/.test(path))
    .map((path) => path.slice('docs/'.length))
    .filter((path) => path !== 'README.md');
  for (const page of pages) assert.ok(index.includes(`](${page})`), `docs/README.md lacks ${page}`);
});
