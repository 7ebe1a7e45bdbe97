// In: `--policy FILE`. Out: the actuator, until SIGTERM or SIGINT; exit code 0 then, 1 after
// trouble, 2 for a wrong start. Or an answer to `--check-policy`, `--version`, `--help`.
// Never: starts under a policy that others than root or its own user may write.

import { constants, fstatSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fileContentDigest } from '@foreshadow/configuration';
import { runActuator } from './daemon.ts';
import { hold, readAll } from './durable.ts';
import { parseHostPolicy, parseKey, POLICY_BYTES_MAX } from './host-policy.ts';
import { FatalError, isRefusal, refuse, systemCode, type Refusal } from './refusal.ts';

// The actuator imports only types of the model; a test holds this against package.json.
const VERSION = '0.1.0';
const USAGE = 'usage: foreshadow-actuator --policy FILE [--check-policy] [--version] [--help]';
const HELP = `${USAGE}

  --policy FILE    what may ever happen on this host
  --check-policy   check policy and key, print the policy complete, and exit
  --version        print the version and exit
  --help           print this and exit
`;

const clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (durationMs: number, call: () => void) => {
    const timer = setTimeout(call, durationMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

await main();

async function main(): Promise<void> {
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => stop.abort());
  process.umask(0o077);
  const chosen = readArguments();
  if (typeof chosen === 'string') {
    process.stdout.write(chosen);
    return;
  }
  const start = isRefusal(chosen) ? chosen : readStart(chosen.path);
  if (isRefusal(start)) {
    end(2, `${start.code}: ${start.sentence}`);
    return;
  }
  const { policy, key } = start;
  if (!isRefusal(chosen) && chosen.isCheck) {
    process.stdout.write(`${JSON.stringify(policy, undefined, 2)}\n`);
    return;
  }
  const ready = (): void => {
    process.stdout.write(`foreshadow-actuator: ready on ${policy.socket}\n`);
  };
  const digestOf = (content: Uint8Array): string => fileContentDigest(key, content);
  try {
    await runActuator({ policy, clock, digestOf, ready }, stop.signal);
  } catch (error) {
    end(1, describe(error));
  }
}

function readStart(path: string) {
  const text = readTrusted(path);
  if (isRefusal(text)) return text;
  const policy = parseHostPolicy(text.text, { path });
  if (isRefusal(policy)) return policy;
  const keyText = readTrusted(policy.fingerprintKeyFile);
  if (isRefusal(keyText)) return keyText;
  const key = parseKey(keyText.text, policy.fingerprintKeyFile);
  return isRefusal(key) ? key : { policy, key };
}

/** @returns the policy's path, a text that is the whole answer, or what is wrong */
function readArguments(): { readonly path: string; readonly isCheck: boolean } | string | Refusal {
  try {
    const { values } = parseArgs({
      options: {
        policy: { type: 'string' },
        'check-policy': { type: 'boolean', default: false },
        version: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    if (values.help === true) return HELP;
    if (values.version === true) return `foreshadow-actuator ${VERSION}\n`;
    return values.policy === undefined
      ? refuse('USAGE', `--policy FILE is missing; ${USAGE}`)
      : { path: values.policy, isCheck: values['check-policy'] };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return refuse('USAGE', `${error.message}; ${USAGE}`);
  }
}

/** Reads a file that only root or this user may write. */
function readTrusted(path: string): { readonly text: string } | Refusal {
  try {
    using file = hold(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(file.descriptor);
    const isOwn = stats.uid === 0 || stats.uid === process.geteuid?.();
    if (!stats.isFile() || !isOwn || (stats.mode & 0o022) !== 0) {
      return refuse(
        'FILE_NOT_SAFE',
        `${path} must be a file of root or of this user that nobody else may write; chmod go-w it`,
      );
    }
    const bytes = readAll(file.descriptor, POLICY_BYTES_MAX);
    if (bytes === undefined)
      return refuse('FILE_NOT_SAFE', `${path} has more than ${POLICY_BYTES_MAX} bytes`);
    return { text: Buffer.from(bytes).toString() };
  } catch (error) {
    return refuse('FILE_UNREADABLE', `${path} cannot be read: ${systemCode(error)}`);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'UNEXPECTED';
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  const code = error instanceof FatalError ? error.code : systemCode(error);
  return `${code}: ${error.message}${cause}`;
}

function end(exitCode: number, line: string): void {
  process.stderr.write(`foreshadow-actuator: ${line.replaceAll('\n', ' ')}\n`);
  process.exitCode = exitCode;
}
