// In: nothing. Out: what may be said on the control stream, as types.
// Never: knows an encoding; control-agent.ts and control-controller.ts do.

import type {
  BootId,
  Command,
  CommandId,
  HostId,
  HostRole,
  Labels,
  LowWaterMark,
  Outcome,
} from '@foreshadow/model';

export const PROTOCOL_VERSION = 1;
/** Oldest version of the other side that is still understood. */
export const PROTOCOL_VERSION_MIN = 1;
export const CONTROL_MESSAGE_BYTES_MAX = 1024 * 1024;

/** How an agent introduces itself. */
export interface Hello {
  readonly protocolVersion: number;
  readonly host: HostId;
  readonly boot: BootId;
  readonly role: HostRole;
  readonly scope: string;
  readonly agentVersion: string;
  readonly labels: Labels;
  readonly inventory: Readonly<Record<string, string>>;
}

export interface Welcome {
  readonly protocolVersion: number;
  readonly controllerVersion: string;
  readonly partition: string;
}

/**
 * A command as it travels: the stream says which host it is for, the incident stays at the
 * controller.
 */
export type TravellingCommand = Omit<Command, 'host' | 'incident'>;
export type AgentMessage =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'receipt'; readonly command: CommandId }
  | { readonly kind: 'outcome'; readonly command: CommandId; readonly outcome: Outcome };

export type ControllerMessage =
  | { readonly kind: 'welcome'; readonly welcome: Welcome }
  | { readonly kind: 'command'; readonly command: TravellingCommand }
  | { readonly kind: 'low-water-mark'; readonly mark: LowWaterMark }
  | { readonly kind: 'snapshot-request' };
