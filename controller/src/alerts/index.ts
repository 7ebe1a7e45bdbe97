// In: what happened to pairs. Out: CloudEvents on NATS, and to the followers of this controller.
// Never: decides what is worth an event, or is what anybody should remember by: an event is told at
// most once (decision 0013), and the ledger of incidents keeps the facts.

export { incidentEvents } from './incident-events.ts';
export { EVENTS_PENDING_MAX, createOutbox, type Outbox, type OutboxOptions } from './outbox.ts';
