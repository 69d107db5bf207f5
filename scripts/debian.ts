import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Which signs all releases; of the package debian-archive-keyring. */
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * The sources of another release at the mirrors that this machine uses.
 * @param uris what `apt-get update --print-uris` prints
 * @param from the codename of this machine's release: bookworm
 * @param to the codename of the other release: trixie
 * @returns lines as in sources.list
 * @throws when this machine has no source of its own release
 */
export function debianSources(uris: string, from: string, to: string): string {
  const suites = new Map([from, `${from}-updates`, `${from}-security`].map((it) => [it, it.replace(from, to)]));
  const lines = uris.split('\n').flatMap((line) => {
    const [, site, suite = ''] = /^'(\S+)\/dists\/([^/\s]+)\/InRelease'/.exec(line) ?? [];
    const other = suites.get(suite);
    return site === undefined || other === undefined ? [] : [`deb [signed-by=${KEYS}] ${site} ${other} main\n`];
  });
  if (lines.length === 0) throw new Error(`apt has no source of Debian ${from} on this machine.`);
  return lines.join('');
}

/**
 * A script that runs a program of a directory with unpacked packages, by their own loader and libraries: this machine's C library is
 * older. Its paths are absolute, because FFmpeg's user runs it anywhere.
 * @param root an absolute path
 */
export async function wrapper(root: string, program: string): Promise<string> {
  const base = join(root, 'usr/lib');
  const triplet = (await readdir(base)).find((name) => /^\w+-linux-gnu$/.test(name));
  if (triplet === undefined) throw new Error(`${base} has no libraries.`);
  const libraries = join(base, triplet);
  const loader = (await readdir(libraries)).find((name) => name.startsWith('ld-linux'));
  if (loader === undefined) throw new Error(`${libraries} has no loader.`);
  // Debian's links to BLAS and LAPACK are made at installation; PulseAudio's library is found by a path of the installed system.
  const path = [libraries, ...['blas', 'lapack', 'pulseaudio'].map((name) => join(libraries, name))].join(':');
  return `#!/bin/sh\nexec '${join(libraries, loader)}' --library-path '${path}' '${join(root, 'usr/bin', program)}' "$@"\n`;
}
