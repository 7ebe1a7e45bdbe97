// In: the controller's messages. Out: this host's answers, over one stream that the agent dials.
// Never: executes a command itself, keeps one for later, or listens on anything.

export { runLink, type LinkOptions } from './link.ts';
