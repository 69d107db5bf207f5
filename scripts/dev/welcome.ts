import { API_PATH, type OpenDoor } from '../../local/boot/open-door.ts';
import type { Cloud } from '../../local/boot.ts';
import { exportBlock } from '../cloud-file.ts';

interface Welcome {
  watch: string;
  state: string;
  open?: OpenDoor | undefined;
  /** Signs in to the console. */
  link: string | null;
}

/** What `npm run dev` prints once the cloud runs. The lines between the blank ones can be pasted into a shell. */
export function welcome(cloud: Cloud, { watch, state, open, link }: Welcome): string {
  return `
dropreel runs on this machine.
  AWS endpoint  ${cloud.endpoint}
  HTTP API      ${cloud.apiUrl}
  delivery      ${cloud.deliveryUrl}
${link ? `  console       ${cloud.outputs.ConsoleUrl}, signed in once by\n                ${link}\n` : ''}${open ? `${forOthers(open)}\n` : ''}  drop files in ${watch}/, or, with any S3 client:

${exportBlock(cloud)}
aws s3 cp FILE s3://${cloud.outputs.UploadsBucket}/drop/me/default/

Ctrl-C ends it; its state is kept in ${state}/, and its log in ${state}/log.jsonl.
`;
}

function forOthers({ url, address, port }: OpenDoor): string {
  const secure = url.startsWith('https:');
  return `  for others    ${url}${secure ? `, API ${url}${API_PATH}` : ' (without the API: it needs an https --public-url)'}; listens on ${address} port ${port}`;
}
