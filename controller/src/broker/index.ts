// In: a folder and a port.
// Out: a nats-server of our own, started, configured, supervised and stopped.
// Never: stores or carries anything itself, or touches a server that it did not start.

export { openNatsServer, type NatsServer, type NatsServerOptions } from './nats-server.ts';
