// In: questions over HTTP on a loopback address. Out: what the other rooms know, and commands
// handed to dispatch.
// Never: decides anything, changes anything by itself, or shows an internal error to a caller.

export { API_PORT_DEFAULT, openApi, type Api } from './open.ts';
export { EVENTS_KEPT_MAX, createEventRing, type EventRing } from './event-ring.ts';
export type { ApiPorts, CommandRequest, EventQuery, SelfMetric } from './ports.ts';
