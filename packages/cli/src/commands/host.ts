// `host list|get`: the machines with an agent.

import type { Command } from 'commander';
import type { HostRecord } from '@foreshadow/model';
import { hostArgument } from '../arguments.ts';
import { ago, pagingOf, paged, show, showPage, table, withExamples } from '../session.ts';
import type { Act, Paging, Session } from '../session.ts';
import { paintOf } from '../style.ts';
import type { Cell } from '../table.ts';

export function registerHost(program: Command, act: Act): void {
  const host = program.command('host').description('Show the hosts that run an agent.');
  const list = paged(host.command('list').alias('ls').description('List the hosts.')).action(
    act(async (session, options: Paging) => {
      const page = await session.client.hosts(pagingOf(options));
      showPage(session, page, {
        draw: (items) => drawHosts(session, items),
        empty: 'No hosts yet: start foreshadow-agent on one.',
      });
      return undefined;
    }),
  );
  withExamples(list, ['foreshadow host list', 'foreshadow host list -o jsonl | jq .agentVersion']);

  const get = host
    .command('get <host>')
    .description('Show what is known of a host.')
    .action(
      act(async (session, text: string) => {
        const record = await session.client.host(hostArgument(text));
        show(session, record, () => drawHost(session, record));
        return undefined;
      }),
    );
  withExamples(get, ['foreshadow host get shop-shadow']);
}

function stateCell(record: HostRecord): Cell {
  const text = record.isConnected ? 'connected' : 'disconnected';
  return { text, paint: paintOf(text) };
}

function drawHosts(session: Session, records: readonly HostRecord[]): string {
  const titles = ['STATE', 'HOST', 'ROLE', 'SCOPE', 'LAST SEEN', 'AGENT', 'LABELS'];
  const rows = records.map((record): Cell[] => [
    stateCell(record),
    { text: record.id },
    { text: record.role },
    { text: record.scope },
    { text: ago(session, record.lastSeenMs) },
    { text: record.agentVersion },
    { text: pairsOf(record.labels) },
  ]);
  return table(
    session,
    titles.map((title) => ({ title })),
    rows,
  );
}

function drawHost(session: Session, record: HostRecord): string {
  const state = stateCell(record);
  const facts: [string, string][] = [
    ['role', record.role],
    ['scope', record.scope],
    ['agent', record.agentVersion],
    ['first seen', ago(session, record.firstSeenMs)],
    ['last seen', ago(session, record.lastSeenMs)],
    ['labels', pairsOf(record.labels)],
    ...Object.entries(record.inventory),
  ];
  const rows = facts.map(([name, text]): Cell[] => [{ text: name, paint: 'dim' }, { text }]);
  return table(session, [{ title: state.text.toUpperCase() }, { title: record.id }], rows);
}

function pairsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
