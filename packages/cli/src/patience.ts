// For what is watched for hours: a controller that is being restarted ends no watch.

import { problemOf } from '@foreshadow/client';
import { codeOf } from '@foreshadow/runtime';
import { printable } from './table.ts';
import type { Session } from './session.ts';

export const AWAY_PAUSE_MS = 1_000;

/**
 * Asks until the controller answers, and says once on stderr that it is away, and once that it is
 * back.
 * @throws the signal's reason, or any other refusal
 */
export async function untilAnswered<Answer>(
  session: Session,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const { terminal, clock } = session;
  const say = (text: string): void => terminal.writeError(`${printable(text)}\n`);
  let isAway = false;
  for (;;) {
    try {
      const answer = await ask();
      if (isAway) say('The controller answers again.');
      return answer;
    } catch (error) {
      if (!isAwayError(error)) throw error;
      if (!isAway) say(`${codeOf(error)}: the controller is away; trying again until it is back.`);
      isAway = true;
      await clock.sleep(AWAY_PAUSE_MS, terminal.stop);
    }
  }
}

function isAwayError(error: unknown): boolean {
  const isSilent = ['CONTROLLER_UNREACHABLE', 'REQUEST_TIMEOUT'].includes(codeOf(error));
  return isSilent || problemOf(error)?.status === 503;
}
