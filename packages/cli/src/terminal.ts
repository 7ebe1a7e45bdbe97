// Everything that commands need of the process, so that tests can stand in for it.

import type { Clock } from '@foreshadow/runtime';

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether a person sees stdout, sees stderr, types into stdin. */
  readonly isOutTerminal: boolean;
  readonly isErrorTerminal: boolean;
  readonly isInTerminal: boolean;
  /** Width of stdout; undefined when it is no terminal, 0 when the terminal does not know. */
  readonly columns: () => number | undefined;
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Shows the question on stderr. @returns the line that was typed, without its end */
  readonly ask: (question: string) => Promise<string>;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** A new key for a request that must not be done twice. */
  readonly newKey: () => string;
  /** Aborts when the person wants it to end. */
  readonly stop: AbortSignal;
}
