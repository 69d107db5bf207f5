import { useUploads } from '../uploads/use-uploads.tsx';
import { useSession } from '../use-session.ts';

/** What a library without media teaches. */
export function FirstUpload() {
  const { choose } = useUploads();
  const { me, places } = useSession();
  return (
    <section className="first">
      <h2>Nothing here yet</h2>
      <p>Drop video or audio files anywhere on this page, or</p>
      <button type="button" className="primary" onClick={() => choose()}>
        Choose files
      </button>
      <p>From a terminal:</p>
      <pre>
        <code>dropreel upload clip.mp4 --wait</code>
      </pre>
      <p>With any S3 client, into the uploads bucket:</p>
      <pre>
        <code>{`aws s3 cp clip.mp4 s3://${places.uploadsBucket}/drop/${me.creatorId}/default/clip.mp4`}</code>
      </pre>
      <p>By the API: announce the file, then put it to the address in the answer ($TOKEN is an access token).</p>
      <pre>
        <code>{curlOf(places.apiUrl)}</code>
      </pre>
    </section>
  );
}

/** As in docs/api.md. */
function curlOf(apiUrl: string): string {
  return [
    'url=$(curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\',
    '  -d "{\\"fileName\\": \\"clip.mp4\\", \\"size\\": $(wc -c < clip.mp4), \\"contentType\\": \\"video/mp4\\"}" \\',
    `  ${apiUrl}/uploads | jq -r .put.url)`,
    'curl -fT clip.mp4 -H "Content-Type: video/mp4" -H "If-None-Match: *" "$url"',
  ].join('\n');
}
