// In: the environment and the usual places. Out: the nats-server that tests start.
// Never: lets a test pass without one: a missing server is an error that says how to get it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** @throws Error naming the places that were searched, and the command that installs one */
export function natsServerPath(): string {
  const checkout = join(import.meta.dirname, '../../.cache/nats-server/usr/sbin/nats-server');
  const given = process.env['FORESHADOW_NATS_SERVER'];
  const places = [...(given === undefined ? [] : [given]), '/usr/sbin/nats-server', checkout];
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new Error(
    `no nats-server at ${places.join(', ')}; run sh install/test.sh, which fetches one`,
  );
}
