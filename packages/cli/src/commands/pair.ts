// `pair list|get|watch`: who is compared with whom, and with what result.

import { type Command, Option } from 'commander';
import type { Drift, Finding, Incident, PairId, PairState } from '@foreshadow/model';
import { CodedError } from '@foreshadow/runtime';
import { pairArgument } from '../arguments.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { ABSENT, decimal, duration, percent, quantity } from '../human.ts';
import { untilAnswered } from '../patience.ts';
import { ago, pagingOf, paged, show, showPage, table, withExamples } from '../session.ts';
import { LIST_LIMIT_MAX, type Act, type Paging, type Session } from '../session.ts';
import { paintOf } from '../style.ts';
import { printable, type Cell } from '../table.ts';
import { drawDrifts } from './diff.ts';

const WATCH_INTERVAL_DEFAULT_S = 2;
const HOME_AND_CLEAR = '\u001B[H\u001B[J';

export function registerPair(program: Command, act: Act): void {
  const pair = program.command('pair').description('Show who is compared with whom.');
  const list = paged(pair.command('list').alias('ls').description('List the pairs.')).action(
    act(async (session, options: Paging) => {
      const page = await session.client.pairs(pagingOf(options));
      const empty = 'No pairs yet: start an agent on a production host and on its shadow.';
      showPage(session, page, { draw: (items) => drawPairs(session, items), empty });
      return undefined;
    }),
  );
  withExamples(list, ['foreshadow pair list', 'foreshadow pair list -o jsonl | jq .pair.id']);

  const get = pair
    .command('get <pair>')
    .description('Show the verdict on a pair with all its numbers, its drift and incidents.')
    .action(
      act(async (session, text: string) => {
        const id = pairArgument(text);
        const state = await session.client.pair(id);
        const drawn = session.format === 'table' ? await drawWhole(session, state) : '';
        show(session, state, () => drawn);
        return undefined;
      }),
    );
  withExamples(get, [
    'foreshadow pair get shop-production_shop-shadow',
    'foreshadow pair get shop-production_shop-shadow -o json | jq .verdict.findings',
  ]);

  const watch = pair
    .command('watch [pair]')
    .description('Follow one pair, or all; one JSON line a change where stdout is no terminal.')
    .addOption(
      new Option('--interval <seconds>', 'time between looks')
        .default(WATCH_INTERVAL_DEFAULT_S)
        .argParser(parseInterval),
    )
    .action(
      act(async (session, text: string | undefined, options: { interval: number }) =>
        watchPairs(session, text === undefined ? undefined : pairArgument(text), options.interval),
      ),
    );
  withExamples(watch, [
    'foreshadow pair watch',
    'foreshadow pair watch --interval 5 > pairs.jsonl',
  ]);
}

function parseInterval(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0.2 && seconds <= 3_600) return seconds;
  throw new CodedError('ARGUMENT_INVALID', `--interval takes 0.2 to 3600 seconds, got ${text}`);
}

/** Ends only by the person, or by a refusal; a first look that fails is one. */
async function watchPairs(
  session: Session,
  id: PairId | undefined,
  intervalSeconds: number,
): Promise<ExitCode> {
  const { terminal, clock } = session;
  const isDrawn =
    session.format === 'table' && terminal.isOutTerminal && terminal.environment['TERM'] !== 'dumb';
  const seen = new Map<string, number | undefined>();
  const look = async (): Promise<void> => {
    const items = await statesOf(session, id);
    if (isDrawn) {
      const [only] = items;
      const drawn =
        id === undefined || only === undefined
          ? drawPairs(session, items)
          : await drawWhole(session, only);
      terminal.writeOut(HOME_AND_CLEAR + drawn);
      return;
    }
    for (const state of items.filter((item) => seen.get(item.pair.id) !== newest(item))) {
      seen.set(state.pair.id, newest(state));
      terminal.writeOut(`${JSON.stringify(state)}\n`);
    }
  };
  await look();
  while (!terminal.stop.aborted) {
    await clock.sleep(intervalSeconds * 1_000, terminal.stop);
    await untilAnswered(session, look);
  }
  return exitCodes.interrupted;
}

async function statesOf(session: Session, id: PairId | undefined): Promise<readonly PairState[]> {
  if (id !== undefined) return [await session.client.pair(id)];
  return (await session.client.pairs({ limit: LIST_LIMIT_MAX })).items;
}

/** Minus one before the first verdict, so that a new pair is told as well. */
function newest(state: PairState): number {
  return state.verdict?.atMs ?? -1;
}

export function drawPairs(session: Session, states: readonly PairState[]): string {
  const columns = [
    { title: 'STATUS' },
    { title: 'PAIR' },
    { title: 'DRIFT', align: 'right' } as const,
    { title: 'JUDGED' },
    { title: 'VERDICT' },
  ];
  const rows = states.map(({ pair, verdict, driftCount }): Cell[] => [
    statusCell(verdict?.status),
    { text: pair.id },
    { text: String(driftCount), paint: driftCount > 0 ? 'yellow' : undefined },
    { text: verdict === undefined ? ABSENT : ago(session, verdict.atMs) },
    { text: verdict?.sentence ?? 'Not evaluated yet.' },
  ]);
  return table(session, columns, rows);
}

function statusCell(status: string | undefined): Cell {
  const text = status ?? 'unknown';
  return { text, paint: paintOf(text) };
}

async function drawWhole(session: Session, state: PairState): Promise<string> {
  const { pair, verdict } = state;
  const [drifts, incidents] = await Promise.all([
    session.client.drifts(pair.id, { limit: LIST_LIMIT_MAX }),
    session.client.incidents({ pair: pair.id, state: 'open', limit: LIST_LIMIT_MAX }),
  ]);
  const status = statusCell(verdict?.status);
  const head = `${session.style(status.text, status.paint)}  ${printable(pair.id)}`;
  const sections = [
    `${head}\n${printable(verdict?.sentence ?? 'Not evaluated yet.')}\n`,
    verdict === undefined ? '' : drawFindings(session, verdict.findings),
    driftSection(session, pair.id, drifts.items),
    incidentSection(session, incidents.items),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function drawFindings(session: Session, findings: readonly Finding[]): string {
  if (findings.length === 0) return '';
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'STATUS' },
    { title: 'OBSERVABLE' },
    { title: 'PRODUCTION', ...right },
    { title: 'SHADOW', ...right },
    { title: 'DEVIATION', ...right },
    { title: 'LIMIT', ...right },
    { title: 'VELOCITY/MIN', ...right },
    { title: 'EXCESS', ...right },
    { title: 'TO LIMIT', ...right },
  ];
  const rows = findings.map((finding): Cell[] => [
    finding.limits === undefined ? { text: 'reported' } : statusCell(finding.status),
    { text: finding.observable },
    { text: quantity(finding.observable, finding.production) },
    { text: quantity(finding.observable, finding.shadow) },
    { text: percent(finding.deviation), paint: paintOf(finding.status) },
    { text: percent(finding.limits?.deviation) },
    { text: percent(finding.velocityPerMinute, { sign: true }) },
    { text: decimal(finding.excess) },
    { text: finding.timeToLimitMs === undefined ? ABSENT : duration(finding.timeToLimitMs) },
  ]);
  return table(session, columns, rows);
}

function driftSection(session: Session, pair: PairId, drifts: readonly Drift[]): string {
  const [first] = drifts;
  if (first === undefined) return 'No drift.\n';
  const next =
    first.subject === 'file'
      ? `Next: foreshadow restore ${pair} ${first.name} --dry-run`
      : `Next: foreshadow diff ${pair} -o json`;
  return `${drawDrifts(session, drifts)}${printable(next)}\n`;
}

function incidentSection(session: Session, incidents: readonly Incident[]): string {
  const [first] = incidents;
  if (first === undefined) return 'No open incident.\n';
  const rows = incidents.map(({ id, openedMs, sentence }): Cell[] => [
    { text: id },
    { text: ago(session, openedMs) },
    { text: sentence },
  ]);
  const columns = [{ title: 'INCIDENT' }, { title: 'OPENED' }, { title: 'WHAT' }];
  return `${table(session, columns, rows)}Next: foreshadow incident get ${first.id}\n`;
}
