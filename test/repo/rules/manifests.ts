// In: package.json and package-lock.json. Out: versions that may move and addresses of downloads.
// Never: asks a registry.

import { problemAt, type Problem, type Source } from './source.ts';

export interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export function parseManifest(text: string): Manifest {
  return JSON.parse(text) as Manifest; // npm has checked the shape of these fields before us.
}

/** Every dependency of a manifest, with its version. */
export function dependenciesOf(manifest: Manifest): ReadonlyMap<string, string> {
  return new Map(
    Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    }),
  );
}

export function checkVersions(source: Source): readonly Problem[] {
  return [...dependenciesOf(parseManifest(source.text))]
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
    .map(([name, version]) =>
      problemAt(
        source,
        source.text.indexOf(`"${name}"`),
        `${name}: ${version} may move; write an exact version`,
      ),
    );
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly link?: boolean; integrity?: string }>
  >;
}

export function checkLock(source: Source): readonly Problem[] {
  const { packages } = JSON.parse(source.text) as Lock; // Written by npm.
  return Object.entries(packages).flatMap(([path, entry]) => {
    const at = (message: string): Problem =>
      problemAt(source, source.text.indexOf(`"${path}"`), `${path}: ${message}`);
    if (entry.resolved !== undefined && /^\w+:\/\//.test(entry.resolved))
      return [at('holds a download address; keep omit-lockfile-registry-resolved in .npmrc')];
    if (path.startsWith('node_modules/') && entry.link !== true && entry.integrity === undefined)
      return [at('has no integrity hash; run npm install again')];
    return [];
  });
}
