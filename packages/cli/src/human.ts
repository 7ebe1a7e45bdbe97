// Numbers as people read them. JSON output never passes here.

import { observables, type ObservableName } from '@foreshadow/model';

export const ABSENT = '-';

/** The two largest units: `45 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`; below a second in ms. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.floor(ms / 1_000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** @param options.sign whether growth is marked with a plus */
export function percent(ratio: number | undefined, options?: { readonly sign: boolean }): string {
  if (ratio === undefined) return ABSENT;
  const value = (ratio * 100).toFixed(1);
  return `${options?.sign === true && ratio > 0 ? '+' : ''}${value} %`;
}

export function decimal(value: number | undefined): string {
  return value === undefined ? ABSENT : value.toFixed(1);
}

/** A value of an observable in its own unit. */
export function quantity(observable: ObservableName, value: number | undefined): string {
  if (value === undefined) return ABSENT;
  const { unit } = observables[observable];
  switch (unit) {
    case 'ratio':
      return percent(value);
    case 'bytes':
      return bytes(value);
    case 'bytes/second':
      return `${bytes(value)}/s`;
    case 'count':
      return shortNumber(value);
    case 'count/second':
      return `${shortNumber(value)}/s`;
    default:
      return ABSENT;
  }
}

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

function bytes(value: number): string {
  const step = Math.min(
    BINARY.length - 1,
    Math.max(0, Math.floor(Math.log2(Math.max(1, Math.abs(value))) / 10)),
  );
  const scaled = value / 1_024 ** step;
  return `${step === 0 ? Math.round(scaled) : scaled.toFixed(1)} ${BINARY[step] ?? 'B'}`;
}

function shortNumber(value: number): string {
  return Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(2);
}
