import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { z } from 'zod';
import { forNode } from './esbuild.ts';

const Manifest = z.looseObject({ name: z.string(), version: z.string(), license: z.string().optional() });

/**
 * The package `dropreel` as it is published, ready for `npm pack`: one bundled file that needs no other package, so that nothing of the
 * CDK or an SDK is installed with the command.
 */
export async function buildCommand(outdir: string): Promise<void> {
  await mkdir(outdir, { recursive: true });
  const outfile = join(outdir, 'dropreel.mjs');
  const { metafile } = await build({
    ...forNode,
    entryPoints: ['cli/bin.ts'],
    outfile,
    sourcemap: false,
    metafile: true,
  });
  await chmod(outfile, 0o755);
  // Its dependencies are in the bundle; and the sources, which would not run alone, are private.
  const {
    devDependencies: _,
    private: __,
    ...manifest
  } = Manifest.parse(JSON.parse(await readFile('cli/package.json', 'utf8')));
  await Promise.all([
    writeFile(join(outdir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`),
    writeFile(join(outdir, 'THIRD-PARTY-LICENSES'), await licensesOf(metafile)),
    cp('cli/README.md', join(outdir, 'README.md')),
    cp('cli/systemd', join(outdir, 'systemd'), { recursive: true }),
    cp('LICENSE', join(outdir, 'LICENSE')),
  ]);
}

/** The licence texts of the packages in a bundle: MIT, ISC and BSD require them in every copy. */
async function licensesOf({ inputs }: Metafile): Promise<string> {
  const packages = Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const texts = [...new Set(packages)].sort().map(async (directory) => {
    const { name, version, license } = Manifest.parse(
      JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')),
    );
    const file = (await readdir(directory)).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) return `${name} ${version}: ${license}\n`;
    return `${name} ${version}\n\n${(await readFile(join(directory, file), 'utf8')).trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`);
}
