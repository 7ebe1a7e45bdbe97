// Identifiers as people type them.

import { parseCommandId, parseHostId, parseIncidentId, parsePairId } from '@foreshadow/model';
import type { CommandId, HostId, IncidentId, PairId } from '@foreshadow/model';
import { CodedError } from '@foreshadow/runtime';

export const hostArgument = (text: string): HostId =>
  argument(text, { value: parseHostId(text), what: 'host', list: 'host list' });
export const pairArgument = (text: string): PairId =>
  argument(text, { value: parsePairId(text), what: 'pair', list: 'pair list' });
export const incidentArgument = (text: string): IncidentId =>
  argument(text, { value: parseIncidentId(text), what: 'incident', list: 'incident list' });
export const commandArgument = (text: string): CommandId =>
  argument(text, { value: parseCommandId(text), what: 'command', list: 'incident get' });

function argument<Value>(
  text: string,
  id: { readonly value: Value | undefined; readonly what: string; readonly list: string },
): Value {
  if (id.value !== undefined) return id.value;
  throw new CodedError(
    'ARGUMENT_INVALID',
    `"${text}" is not the id of ${withArticle(id.what)}; "foreshadow ${id.list}" shows those that there are`,
  );
}

function withArticle(word: string): string {
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}
