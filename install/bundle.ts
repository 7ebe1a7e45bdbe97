// In: the table of programs.
// Out: dist/: one file a program, what they load beside it, and their sizes.
// Never: is needed to run or test from a checkout; bundles are what is shipped and measured.

import { copyFileSync, cpSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as esbuild from 'esbuild';

export interface Program {
  readonly name: string;
  readonly entry: string;
  /**
   * Packages that are loaded on first use only, each from a file of its own: they cost nothing
   * before.
   */
  readonly lazy?: readonly string[];
  /** Files beside the program: path in dist → path here. */
  readonly files?: Readonly<Record<string, string>>;
}

const NODE_MAJOR_MIN = 24;

const level = 'node_modules/classic-level/prebuilds';

const programs: readonly Program[] = [
  {
    name: 'foreshadow-agent',
    entry: 'agent/src/main.ts',
    lazy: ['systeminformation'],
  },
  { name: 'foreshadow-actuator', entry: 'agent/src/actuator/main.ts' },
  {
    name: 'foreshadow-controller',
    entry: 'controller/src/main.ts',
    files: {
      proto: 'proto',
      'classic-level.linux-x64.node': `${level}/linux-x64/classic-level.node`,
      'classic-level.linux-arm64.node': `${level}/linux-arm64/classic-level.armv8.node`,
    },
  },
  { name: 'foreshadow', entry: 'packages/cli/src/main.ts' },
  // The service that `foreshadow dev` runs twice.
  { name: 'foreshadow-workload', entry: 'packages/cli/src/dev/workload-main.ts' },
];

const REQUIRE =
  "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";

/**
 * Begins every bundle. An older Node must be able to read the file up to here and through, so that
 * it can say what is wrong: hence the syntax of Node 20, and `require` for its own modules, whose
 * names are looked up when they are used and not when the file is linked.
 */
function bannerOf(name: string): string {
  return [
    '#!/usr/bin/env node',
    REQUIRE,
    `if (Number(process.versions.node.split('.')[0]) < ${NODE_MAJOR_MIN}) {`,
    `  process.stderr.write('${name} needs Node ${NODE_MAJOR_MIN} or newer and was started with ' + process.version + '\\n');`,
    '  process.exit(1);',
    '}',
  ].join('\n');
}

/** Modules of Node, through `require`: see `bannerOf`. */
const nodeModules: esbuild.Plugin = {
  name: 'node-modules',
  setup: (build) => {
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'node' } : { path, external: true },
    );
    build.onLoad({ filter: /.*/, namespace: 'node' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
      loader: 'js',
    }));
  },
};

/** The binary of classic-level lies beside the bundle, one for each architecture. */
const nativeLevel: esbuild.Plugin = {
  name: 'native-level',
  setup: (build) => {
    build.onResolve({ filter: /^node-gyp-build$/ }, ({ path }) => ({ path, namespace: 'native' }));
    build.onLoad({ filter: /.*/, namespace: 'native' }, () => ({
      contents: `const load = require; module.exports = () => load('./classic-level.linux-' + process.arch + '.node');`,
      loader: 'js',
    }));
  },
};

function lazyPackages(program: Program): esbuild.Plugin {
  return {
    name: 'lazy-packages',
    setup: (build) => {
      build.onResolve({ filter: /^[@\w]/ }, ({ path, kind }) =>
        kind !== 'entry-point' && program.lazy?.includes(path) === true
          ? { path: `./${path}.mjs`, external: true }
          : undefined,
      );
    },
  };
}

/** What a CommonJS package exports; an ES module has to name it. */
function namesOf(name: string, root: string): string {
  const exported = createRequire(join(root, 'package.json'))(name) as object; // A module object.
  return Object.keys(exported).join(', ');
}

/** @returns names of the files written into `folder` */
export async function bundle(
  program: Program,
  options: { readonly root: string; readonly folder: string },
): Promise<readonly string[]> {
  const { root, folder } = options;
  const shared = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'external',
    logLevel: 'warning',
  } as const;
  mkdirSync(folder, { recursive: true });
  const main = `${program.name}.mjs`;
  await esbuild.build({
    ...shared,
    entryPoints: [program.entry],
    outfile: join(folder, main),
    format: 'esm',
    banner: { js: bannerOf(program.name) },
    define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
    plugins: [lazyPackages(program), nativeLevel, nodeModules],
  });
  for (const name of program.lazy ?? [])
    await esbuild.build({
      ...shared,
      stdin: { contents: `export { ${namesOf(name, root)} } from '${name}';`, resolveDir: root },
      outfile: join(folder, `${name}.mjs`),
      format: 'esm',
      banner: { js: REQUIRE },
    });
  for (const [to, from] of Object.entries(program.files ?? {}))
    if (statSync(join(root, from)).isDirectory())
      cpSync(join(root, from), join(folder, to), { recursive: true });
    else copyFileSync(join(root, from), join(folder, to));
  const lazy = (program.lazy ?? []).map((name) => `${name}.mjs`);
  return [main, ...lazy, ...Object.keys(program.files ?? {})];
}

/** Writes every program into `folder`. @returns names of the files, in order */
export async function bundleAll(options: {
  readonly root: string;
  readonly folder: string;
}): Promise<readonly string[]> {
  const files: string[] = [];
  for (const program of programs) files.push(...(await bundle(program, options)));
  return files;
}

async function bundleDist(root: string): Promise<void> {
  const folder = join(root, 'dist');
  rmSync(folder, { recursive: true, force: true });
  for (const file of await bundleAll({ root, folder })) {
    const kibibytes = `${Math.ceil(statSync(join(folder, file)).size / 1024)}`;
    process.stdout.write(`dist/${file.padEnd(32)} ${kibibytes.padStart(6)} KiB\n`);
  }
}

if (import.meta.main) await bundleDist(join(import.meta.dirname, '..'));
