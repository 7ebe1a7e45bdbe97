// In: what happened to pairs. Out: CloudEvents on NATS, and to the followers of this controller.
// Never: decides what is worth an event, or forgets one silently.

export { incidentEvents } from './incident-events.ts';
export { EVENTS_PENDING_MAX, createOutbox, type Outbox, type OutboxOptions } from './outbox.ts';
