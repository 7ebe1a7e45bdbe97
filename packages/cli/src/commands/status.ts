// `status`: is everything well, on one screen.

import type { Command } from 'commander';
import type { Condition, HostRecord, Incident, Page, PairState } from '@foreshadow/model';
import type { VersionAnswer } from '@foreshadow/model';
import { verdictStatuses } from '@foreshadow/model';
import { duration } from '../human.ts';
import { LIST_LIMIT_MAX, show, table, withExamples, type Act, type Session } from '../session.ts';
import { paintOf } from '../style.ts';
import type { Cell } from '../table.ts';
import { drawPairs } from './pair.ts';

interface Overview {
  readonly version: VersionAnswer;
  readonly readiness: Condition;
  readonly hosts: Page<HostRecord>;
  readonly pairs: Page<PairState>;
  readonly incidents: Page<Incident>;
}

export function registerStatus(program: Command, act: Act): void {
  const command = program
    .command('status')
    .description('Show the controller, its hosts, its pairs and what is open.')
    .action(
      act(async (session) => {
        const { client } = session;
        const limit = LIST_LIMIT_MAX;
        const [version, readiness, hosts, pairs, incidents] = await Promise.all([
          client.version(),
          client.readiness(),
          client.hosts({ limit }),
          client.pairs({ limit }),
          client.incidents({ limit, state: 'open' }),
        ]);
        const overview: Overview = { version, readiness, hosts, pairs, incidents };
        show(session, overview, () => draw(session, overview));
        return undefined;
      }),
    );
  withExamples(command, ['foreshadow status', 'foreshadow status -o json | jq .readiness']);
}

function draw(session: Session, overview: Overview): string {
  const { version, readiness, hosts, pairs, incidents } = overview;
  const word = readiness.isOk ? 'ready' : 'not ready';
  const up = duration(Math.max(0, session.clock.nowMs() - version.startedMs));
  const connected = hosts.items.filter(({ isConnected }) => isConnected).length;
  const byStatus = verdictStatuses
    .map((status) => ({ status, count: countOf(pairs.items, status) }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`);
  const lines: [string, Cell][] = [
    ['controller', { text: word, paint: paintOf(word) }],
    ['version', { text: `${version.version}, up ${up}, at ${session.client.url}` }],
    ['hosts', { text: `${connected} connected of ${total(hosts)}` }],
    ['pairs', { text: [total(pairs), ...byStatus].join(', ') }],
    ['incidents', { text: `${total(incidents)} open` }],
  ];
  for (const { code, sentence } of readiness.reasons)
    lines.push(['not ready', { text: `${code}: ${sentence}`, paint: 'red' }]);
  const facts = lines.map(([name, cell]): Cell[] => [{ text: name, paint: 'dim' }, cell]);
  const head = table(session, [{ title: '' }, { title: '' }], facts);
  if (pairs.items.length === 0)
    return `${head}\nNo pairs yet: start an agent on a production host and on its shadow.\n`;
  return `${head}\n${drawPairs(session, pairs.items)}`;
}

function total(page: Page<unknown>): string {
  return `${page.items.length}${page.nextCursor === undefined ? '' : ' or more'}`;
}

function countOf(pairs: readonly PairState[], status: string): number {
  return pairs.filter(({ verdict }) => verdict?.status === status).length;
}
