import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { debianSources, wrapper } from '../../../scripts/debian.ts';

const URIS = `
'https://mirror.test/debian/dists/bookworm/InRelease' mirror.test_debian_dists_bookworm_InRelease 0 
'https://mirror.test/debian/dists/bookworm-updates/InRelease' mirror.test_debian_dists_bookworm-updates_InRelease 0 
'https://mirror.test/security/dists/bookworm-security/InRelease' mirror.test_security_dists_bookworm-security_InRelease 0 
'https://mirror.test/debian/dists/bookworm-backports/InRelease' mirror.test_debian_dists_bookworm-backports_InRelease 0 
'https://packages.test/dists/stable/InRelease' packages.test_dists_stable_InRelease 0 
'https://mirror.test/debian/dists/bookworm/main/binary-amd64/Packages.xz' mirror.test_debian_Packages 0 
`;

it("another release comes from the machine's own mirrors of Debian, with its security fixes, and from no other source", () => {
  expect(debianSources(URIS, 'bookworm', 'trixie')).toBe(
    [
      'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://mirror.test/debian trixie main\n',
      'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://mirror.test/debian trixie-updates main\n',
      'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://mirror.test/security trixie-security main\n',
    ].join(''),
  );
});

it('a machine without a mirror of its release is told so', () => {
  expect(() => debianSources('', 'bookworm', 'trixie')).toThrow(
    'apt has no source of Debian bookworm on this machine.',
  );
});

it('a program runs by the loader and the libraries beside it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'dropreel-root-'));
  try {
    await mkdir(join(root, 'usr/lib/x86_64-linux-gnu'), { recursive: true });
    await writeFile(join(root, 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'), '');
    const lib = `${root}/usr/lib/x86_64-linux-gnu`;
    expect(await wrapper(root, 'ffprobe')).toBe(
      `#!/bin/sh\nexec '${lib}/ld-linux-x86-64.so.2' --library-path '${lib}:${lib}/blas:${lib}/lapack:${lib}/pulseaudio' '${root}/usr/bin/ffprobe' "$@"\n`,
    );
  } finally {
    await rm(root, { recursive: true });
  }
});
