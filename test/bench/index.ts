// In: the benches, one a file. Out: the list of all, which is the documentation.
// Never: registers on import; a bench that is not in the list does not exist.

import type { Bench } from './bench.ts';
import { agentTick } from './agent-tick.ts';
import { houseCheck } from './house-check.ts';

export const benches: readonly Bench[] = [agentTick, houseCheck];
