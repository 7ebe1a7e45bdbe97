// In: control streams as agents open them. Out: the one that is open to each host.
// Never: keeps two of one host: the newer one wins, and the older hears why.

import type { HostId } from '@foreshadow/model';
import type { AgentStream } from '@foreshadow/wire';

export interface Streams {
  add(stream: AgentStream): void;
  /** @returns false when a newer stream of the host has taken its place */
  remove(stream: AgentStream): boolean;
  /** Undefined while the host is not connected. */
  get(host: HostId): AgentStream | undefined;
  hosts(): Iterable<HostId>;
}

export function createStreams(): Streams {
  const streams = new Map<HostId, AgentStream>();
  return {
    add: (stream) => {
      const { host } = stream.hello;
      const older = streams.get(host);
      // First the newer one: the end of the older one is heard at once, and must find it replaced.
      streams.set(host, stream);
      older?.end('a newer stream of this host; do two agents run under one name?');
    },
    remove: (stream) => {
      const isCurrent = streams.get(stream.hello.host) === stream;
      if (isCurrent) streams.delete(stream.hello.host);
      return isCurrent;
    },
    get: (host) => streams.get(host),
    hosts: () => streams.keys(),
  };
}
