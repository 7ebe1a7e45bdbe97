// `version`: of this program, and of the controller where one answers.

import type { Command } from 'commander';
import type { VersionAnswer } from '@foreshadow/model';
import { codeOf } from '@foreshadow/runtime';
import packageFile from '../../package.json' with { type: 'json' };
import { show, withExamples, type Act, type Session } from '../session.ts';

export function registerVersion(program: Command, act: Act): void {
  const command = program
    .command('version')
    .description('Show the version of this program, and of the controller where one answers.')
    .action(
      act(async (session) => {
        const controller = await controllerVersion(session);
        const versions = {
          cli: packageFile.version,
          ...(controller !== undefined && { controller }),
        };
        show(session, versions, () => {
          const theirs = controller?.version ?? `none at ${session.client.url}`;
          return `foreshadow  ${versions.cli}\ncontroller  ${theirs}\n`;
        });
        return undefined;
      }),
    );
  withExamples(command, ['foreshadow version', 'foreshadow version -o json']);
}

async function controllerVersion(session: Session): Promise<VersionAnswer | undefined> {
  try {
    return await session.client.version();
  } catch (error) {
    if (codeOf(error) === 'CONTROLLER_UNREACHABLE') return undefined;
    throw error;
  }
}
