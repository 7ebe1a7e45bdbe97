// In: arguments, a terminal and a controller's URL. Out: text for a person, or JSON for a program,
// and an exit code.
// Never: touches the process itself (main.ts does), decides for the operator, or prints data on
// stderr.

export { runCli } from './run.ts';
export { exitCodes } from './exit-codes.ts';
export type { Terminal } from './terminal.ts';
