// In: decisions and requests of people, as orders.
// Out: commands on the hosts' streams, receipts, outcomes.
// Never: queues a command, tries one twice, or calls silence a failure.

export {
  createDispatch,
  type CommandRequest,
  type CommandStream,
  type Dispatch,
  type DispatchOptions,
} from './dispatch.ts';
export { createStreams, type Streams } from './streams.ts';
