// In: a folder. Out: proof that this process alone uses it, until it is given back.
// Never: outlives its process: the lock of one that is gone is replaced.

import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, codeOf } from './errors.ts';

const LOCK_ATTEMPTS_MAX = 3;

/**
 * Makes the folder (mode 0700) where it is missing, and a file `lock` in it with process id and
 * start time. Disposing removes it.
 * @throws CodedError FOLDER_LOCKED while a process that lives has it
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const path = join(folder, 'lock');
  const own = join(folder, `lock-${process.pid}`);
  const text = `${process.pid} ${(await startOf(process.pid)) ?? 'unknown'}\n`;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await rm(own, { force: true });
  await writeFile(own, text, { mode: 0o600, flag: 'wx' });
  try {
    for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt += 1) {
      // Linked, not written: whoever finds a lock finds it whole.
      if (await linked(own, path))
        return { [Symbol.asyncDispose]: async () => giveBack(path, text) };
      await removeIfStale(path, { folder, aside: `${own}-old` });
    }
    throw new CodedError('FOLDER_LOCKED', `${folder} is being taken by others; try again`);
  } finally {
    await rm(own, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** @throws CodedError FOLDER_LOCKED */
async function removeIfStale(
  path: string,
  { folder, aside }: { readonly folder: string; readonly aside: string },
): Promise<void> {
  const found = await readText(path);
  if (found === undefined) return;
  const [processId = '', start] = found.trim().split(' ');
  if (/^\d+$/.test(processId) && start === (await startOf(Number(processId)))) {
    const advice = 'stop it or choose another folder';
    throw new CodedError('FOLDER_LOCKED', `${folder} is in use by process ${processId}; ${advice}`);
  }
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Somebody may have replaced the stale lock since it was read; theirs is put back.
  if ((await readText(aside)) !== found) await linked(aside, path);
  await rm(aside, { force: true });
}

async function giveBack(path: string, text: string): Promise<void> {
  if ((await readText(path)) === text) await rm(path, { force: true });
}

/** @returns in ticks since the machine started; undefined for a process that has ended */
async function startOf(processId: number): Promise<string | undefined> {
  const stat = await readText(`/proc/${processId}/stat`);
  // The name, in brackets, may hold anything; the state is field 3 and the start field 22.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' || fields?.[0] === 'X' ? undefined : fields?.[19];
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // ESRCH: the process ended while its file was read.
    if (['ENOENT', 'ESRCH'].includes(codeOf(error))) return undefined;
    throw error;
  }
}
