// In: commands for this host, from the agent. Out: their outcomes, from the actuator, a process of
// its own behind a unix socket.
// Never: carries the code that touches files; only this room's main.ts imports that. Read commands/
// for what may be done to a host.

export { openActuatorClient, type ActuatorClient, type ActuatorClientOptions } from './client.ts';
export {
  parseHostPolicy,
  POLICY_BYTES_MAX,
  type HostPolicy,
  type RestorePath,
} from './host-policy.ts';
