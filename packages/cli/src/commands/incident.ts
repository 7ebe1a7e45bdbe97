// `incident list|get`: the open stories and their ledgers.

import { type Command, Option } from 'commander';
import type { Incident, IncidentStory } from '@foreshadow/model';
import { incidentArgument, pairArgument } from '../arguments.ts';
import { ago, pagingOf, paged, show, showPage, table, withExamples } from '../session.ts';
import type { Act, Paging, Session } from '../session.ts';
import { paintOf } from '../style.ts';
import { printable, type Cell } from '../table.ts';

interface ListOptions extends Paging {
  readonly state?: Incident['state'];
  readonly pair?: string;
}

export function registerIncident(program: Command, act: Act): void {
  const incident = program.command('incident').description('Show what went wrong with pairs.');
  const list = paged(
    incident
      .command('list')
      .alias('ls')
      .description('List incidents, newest first.')
      .addOption(new Option('--state <state>', 'only these').choices(['open', 'closed']))
      .option('--pair <pair>', 'only those of one pair'),
  ).action(
    act(async (session, options: ListOptions) => {
      const page = await session.client.incidents({
        ...pagingOf(options),
        ...(options.state !== undefined && { state: options.state }),
        ...(options.pair !== undefined && { pair: pairArgument(options.pair) }),
      });
      showPage(session, page, {
        draw: (items) => drawIncidents(session, items),
        empty: 'No incidents.',
      });
      return undefined;
    }),
  );
  withExamples(list, ['foreshadow incident list --state open', 'foreshadow incident list -o json']);

  const get = incident
    .command('get <incident>')
    .description('Show the story of an incident: what was seen, decided and done.')
    .action(
      act(async (session, text: string) => {
        const story = await session.client.incident(incidentArgument(text));
        show(session, story, () => drawStory(session, story));
        return undefined;
      }),
    );
  withExamples(get, ['foreshadow incident get inc-0123456789abcdef01234567']);
}

function drawIncidents(session: Session, incidents: readonly Incident[]): string {
  const titles = ['STATE', 'INCIDENT', 'PAIR', 'KIND', 'OPENED', 'WHAT'];
  const rows = incidents.map((incident): Cell[] => [
    { text: incident.state, paint: paintOf(incident.state) },
    { text: incident.id },
    { text: incident.pair },
    { text: incident.kind },
    { text: ago(session, incident.openedMs) },
    { text: incident.sentence },
  ]);
  return table(
    session,
    titles.map((title) => ({ title })),
    rows,
  );
}

function drawStory(session: Session, { incident, records }: IncidentStory): string {
  const state = session.style(incident.state, paintOf(incident.state));
  const name = printable(`${incident.id}  ${incident.pair}`);
  const head = `${state}  ${name}\n${printable(incident.sentence)}\n`;
  const rows = records.map((record): Cell[] => [
    { text: new Date(record.atMs).toISOString() },
    { text: record.change },
    { text: record.sentence },
  ]);
  const columns = [{ title: 'TIME' }, { title: 'CHANGE' }, { title: 'WHAT' }];
  const next =
    incident.state === 'open' && incident.drift?.subject === 'file'
      ? `Next: foreshadow restore ${incident.pair} ${printable(incident.drift.name)} --dry-run\n`
      : '';
  return `${head}\n${table(session, columns, rows)}${next}`;
}
