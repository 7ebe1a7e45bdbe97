// In: encoded batches, live and from the spool.
// Out: messages on the host's own subject, until the controller holds them.
// Never: decides that a batch has arrived; only the controller's low-water mark says so.

export { createPublisher, type Publisher, type PublisherOptions } from './publisher.ts';
