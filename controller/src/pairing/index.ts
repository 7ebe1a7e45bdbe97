// In: hosts and rules; raw windows of hosts. Out: pairs; for each pair both hosts' observables on
// one grid.
// Never: fills a gap, judges a half-filled cell, or guesses which hosts belong together.

export { PAIRS_MAX, formPairs, type PairingProblem, type PairingRule } from './form.ts';
export { CELLS_MAX, alignPairs } from './align.ts';
