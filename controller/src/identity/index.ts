// In: what agents say of themselves. Out: the hosts that are known, and which are connected.
// Never: lets an unknown host's samples in; later issues add proof of who it is.

export {
  HOSTS_MAX,
  createHostRegistry,
  type HostRegistry,
  type Introduction,
} from './host-registry.ts';
