import type { Cloud } from '../../local/boot.ts';
import { exportBlock } from '../cloud-file.ts';

/** What `npm run dev` prints once the cloud runs. The lines between the blank ones can be pasted into a shell. */
export function welcome(cloud: Cloud, { watch, state }: { watch: string; state: string }): string {
  return `
dropreel runs on this machine.
  AWS endpoint  ${cloud.endpoint}
  HTTP API      ${cloud.apiUrl}
  delivery      ${cloud.deliveryUrl}
  drop files in ${watch}/, or, with any S3 client:

${exportBlock(cloud)}
aws s3 cp FILE s3://${cloud.outputs.UploadsBucket}/drop/me/default/

Ctrl-C ends it; its state is kept in ${state}/.
`;
}
