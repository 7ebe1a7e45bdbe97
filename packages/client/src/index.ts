// In: the controller's URL. Out: its REST resources as the model's types.
// Never: retries by itself, prints, or keeps an answer.

export { CLIENT_TIMEOUT_MS, RESPONSE_BYTES_MAX, createClient, problemOf } from './client.ts';
export type { Client, ClientOptions, CommandCall } from './client.ts';
