import type { OpenDoor } from '../../local/boot/open-door.ts';

const PORT = 8080;
/** Addresses that mean all of the machine's: nobody asks by them. */
const ALL = ['0.0.0.0', '[::]'];

/**
 * What `--host` and `--public-url` ask for; undefined for neither.
 * @throws Error that names the option and what it takes
 */
export function openToOthers(host: string | undefined, publicUrl: string | undefined): OpenDoor | undefined {
  if (host === undefined) {
    if (publicUrl !== undefined) throw new Error('--public-url needs --host: the address of this machine to listen on');
    return undefined;
  }
  const named = `http://${host}`;
  const listened = URL.canParse(named) ? new URL(named) : undefined;
  if (!listened || listened.origin !== named.toLowerCase().replace(/:80$/, '')) {
    throw new Error(`--host ${host}: not an address of this machine, as 192.168.1.5 or 192.168.1.5:8080`);
  }
  if (publicUrl === undefined && ALL.includes(listened.hostname)) {
    throw new Error(
      `--host ${host} needs --public-url: the one address by which others ask, as http://192.168.1.5:8080`,
    );
  }
  const port = /:\d+$/.test(host.replace(/^\[.*\]/, '')) ? Number(listened.port || 80) : PORT;
  return {
    address: listened.hostname.replace(/^\[|\]$/g, ''),
    port,
    url: publicUrl === undefined ? new URL(`http://${listened.hostname}:${port}`).origin : originOf(publicUrl),
  };
}

function originOf(publicUrl: string): string {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  const bare = url && ['http:', 'https:'].includes(url.protocol) && url.href === `${url.origin}/`;
  if (!bare) throw new Error(`--public-url ${publicUrl}: not an origin, as https://media.example`);
  return url.origin;
}
