// `diff`: what is configured differently on the two hosts of a pair.

import type { Command } from 'commander';
import type { Drift } from '@foreshadow/model';
import { pairArgument } from '../arguments.ts';
import { exitCodes } from '../exit-codes.ts';
import { ABSENT } from '../human.ts';
import { ago, pagingOf, paged, showPage, table, withExamples } from '../session.ts';
import type { Act, Paging, Session } from '../session.ts';
import type { Cell } from '../table.ts';

const DIGEST_SHOWN = 8;

export function registerDiff(program: Command, act: Act): void {
  const command = paged(
    program
      .command('diff <pair>')
      .description('Show what is configured differently on the two hosts of a pair.')
      .option('--exit-code', 'exit with 10 when there is drift'),
  ).action(
    act(async (session, text: string, options: Paging & { exitCode?: boolean }) => {
      const page = await session.client.drifts(pairArgument(text), pagingOf(options));
      showPage(session, page, {
        draw: (items) => (items.length === 0 ? 'No drift.\n' : drawDrifts(session, items)),
      });
      const isTold = options.exitCode === true && page.items.length > 0;
      return isTold ? exitCodes.driftFound : undefined;
    }),
  );
  withExamples(command, [
    'foreshadow diff shop-production_shop-shadow',
    'foreshadow diff shop-production_shop-shadow --exit-code || echo drifted',
  ]);
}

export function drawDrifts(session: Session, drifts: readonly Drift[]): string {
  const columns = [
    { title: 'DRIFT' },
    { title: 'ITEM' },
    { title: 'CHANGED ON' },
    { title: 'SINCE' },
    { title: 'PRODUCTION → SHADOW' },
  ];
  const rows = drifts.map((drift): Cell[] => [
    { text: drift.difference, paint: 'yellow' },
    { text: drift.item },
    { text: drift.changedSide ?? ABSENT },
    { text: ago(session, drift.sinceMs) },
    { text: differingFacts(drift) },
  ]);
  return table(session, columns, rows);
}

/**
 * The facts in which the two sides differ; digests shortened, since only their difference says
 * something.
 */
export function differingFacts(drift: Drift): string {
  const { productionFacts: production = {}, shadowFacts: shadow = {} } = drift;
  const names = [...new Set([...Object.keys(production), ...Object.keys(shadow)])];
  return names
    .filter((name) => production[name] !== shadow[name])
    .map((name) => `${name} ${shortFact(production[name])} → ${shortFact(shadow[name])}`)
    .join(', ');
}

function shortFact(fact: string | undefined): string {
  if (fact === undefined) return ABSENT;
  return /^[0-9a-f]{32}$/.test(fact) ? fact.slice(0, DIGEST_SHOWN) : fact;
}
