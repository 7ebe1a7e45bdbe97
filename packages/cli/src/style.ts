// Colour, which only underlines what a word already says.

import type { Terminal } from './terminal.ts';

export type Paint = 'red' | 'green' | 'yellow' | 'dim' | 'bold';
export type Style = (text: string, paint: Paint | undefined) => string;

const codes: Readonly<Record<Paint, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  dim: [2, 22],
  bold: [1, 22],
};

const plain: Style = (text) => text;
const coloured: Style = (text, paint) =>
  paint === undefined ? text : `\u001B[${codes[paint][0]}m${text}\u001B[${codes[paint][1]}m`;

/**
 * NO_COLOR wins, then FORCE_COLOR, then whether stdout is a terminal that is not dumb
 * (no-color.org).
 */
export function styleOf(terminal: Terminal): Style {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: name } = terminal.environment;
  if (no !== undefined && no !== '') return plain;
  if (force !== undefined && force !== '') return force === '0' ? plain : coloured;
  return terminal.isOutTerminal && name !== 'dumb' ? coloured : plain;
}

const paintByWord: Readonly<Record<string, Paint>> = {
  aligned: 'green',
  ready: 'green',
  connected: 'green',
  done: 'green',
  diverging: 'yellow',
  unknown: 'yellow',
  open: 'yellow',
  diverged: 'red',
  disconnected: 'red',
  'not ready': 'red',
  refused: 'red',
  failed: 'red',
  inconclusive: 'dim',
  closed: 'dim',
};

/** The colour of a state's own word, the same everywhere. */
export function paintOf(word: string): Paint | undefined {
  return paintByWord[word];
}
