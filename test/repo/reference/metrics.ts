// In: the catalogues of the model. Out: docs/reference/metrics.md.
// Never: says what the catalogues do not say.

import {
  loadSignals,
  metricNames,
  metrics,
  observableNames,
  observables,
  type ObservableName,
} from '@foreshadow/model';
import { NOTHING, code, table } from './table.ts';

/** The whole page. */
export function metricsPage(): string {
  return [
    '# Metrics',
    '',
    'Made by `node test/repo/write.ts --metrics` from `packages/model/src/metrics.ts` and `observables.ts`. Where each metric is read,',
    'and what is left out, stands in `agent/src/collectors/README.md`. What the controller tells of itself is at `/metrics`.',
    '',
    '## What agents measure',
    '',
    'A counter grows for ever and starts again with its owner; the controller derives rates. Values travel as whole numbers of the',
    'resolution. What a host cannot say is absent, never zero.',
    '',
    ...table(
      ['number', 'metric', 'kind', 'unit', 'resolution', 'meaning'],
      metricNames.map((name) => {
        const { id, kind, unit, resolution, meaning } = metrics[name];
        return [String(id), code(name), kind, unit, String(resolution), meaning];
      }),
    ),
    '',
    '## What is compared within a pair',
    '',
    'An observable is a level, or the rate of a counter, of the sum over instances, and may be divided by a capacity. Below the floor',
    'nothing can matter. What is bound to load is judged only while both hosts carry the same; a load signal tells that.',
    '',
    ...table(
      ['observable', 'from', 'unit', 'floor', 'bound to load', 'load signal'],
      observableNames.map((name) => [
        code(name),
        sourceOf(name),
        observables[name].unit,
        String(observables[name].floor),
        observables[name].loadBound ? 'yes' : 'no',
        loadSignals.some((signal) => signal === name) ? 'yes' : NOTHING,
      ]),
    ),
    '',
  ].join('\n');
}

function sourceOf(name: ObservableName): string {
  const { form, of, per } = observables[name];
  const divided = per === undefined ? '' : ` ÷ ${code(per)}`;
  return (form === 'rate' ? `rate of ${code(of)}` : code(of)) + divided;
}
