// In: a stage.
// Out: an edit of the shadow's file that changes no behaviour, and restores of it by command.
// Never: leaves the file in doubt: it has the one content or the other, at every look.

import { strict as assert } from 'node:assert';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOGICAL_CONFIG } from '@foreshadow/cli/dev/layout.ts';
import type { Stage } from '@foreshadow/cli/dev/stage.ts';
import { fileContentDigest } from '@foreshadow/configuration';
import { parseHostId, type CommandRecord, type HostId } from '@foreshadow/model';
import { newIdentifier, systemClock } from '@foreshadow/runtime';

const ASK_AGAIN_MS = 50;

export interface RestoreHelm {
  /** Makes the file differ. */
  edit(): void;
  /** Asks for a restore. @returns what the controller says at once; rejects while it is away */
  order(): Promise<CommandRecord>;
  /** Orders again until the file is as it was. @throws CodedError STAGE_TIMEOUT */
  untilRestored(limitMs: number): Promise<void>;
}

export function createRestoreHelm(stage: Stage): RestoreHelm {
  const { layout, client } = stage;
  const path = layout.hosts.shadow.serviceConfigPath;
  const key = Buffer.from(
    readFileSync(join(layout.folder, 'fingerprint.key'), 'utf8').trim(),
    'hex',
  );
  const good = readFileSync(path);
  const edited = Buffer.concat([good, Buffer.from('\n')]); // Another file, and the same JSON.
  const host = hostIdOf(layout.hosts.shadow.id);
  const order = async (): Promise<CommandRecord> =>
    client.requestCommand(
      {
        host,
        order: {
          kind: 'restore',
          item: `file:${LOGICAL_CONFIG}`,
          expectedDigest: fileContentDigest(key, edited),
          targetDigest: fileContentDigest(key, good),
        },
        isDryRun: false,
        reason: 'the test has edited it',
        requestedBy: 'test',
      },
      { idempotencyKey: newIdentifier('key') },
    );
  const isRestored = (): boolean => {
    const now = readFileSync(path);
    assert.ok(now.equals(good) || now.equals(edited), 'the file is whole, before or after');
    return now.equals(good);
  };
  return {
    edit: () => {
      // Beside the watched folder, so that nobody sees half of it.
      const temporary = join(layout.folder, 'edited');
      writeFileSync(temporary, edited, { mode: 0o600 });
      renameSync(temporary, path);
    },
    order,
    untilRestored: async (limitMs) => {
      await stage.until('the file to be restored', limitMs, async () => {
        if (isRestored()) return true;
        const { command } = await order();
        await stage.until(`an end of ${command.id}`, limitMs, async () =>
          (await client.command(command.id)).state === 'ended' ? true : undefined,
        );
        await systemClock.sleep(ASK_AGAIN_MS);
        return isRestored() ? true : undefined;
      });
    },
  };
}

function hostIdOf(text: string): HostId {
  const id = parseHostId(text);
  assert.ok(id !== undefined);
  return id;
}
