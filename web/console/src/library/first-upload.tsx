import { useUploads } from '../uploads/use-uploads.tsx';
import { useSession } from '../use-session.ts';

/** What a library without media teaches. */
export function FirstUpload() {
  const { choose } = useUploads();
  const { me } = useSession();
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
        <code>{`aws s3 cp clip.mp4 s3://UPLOADS_BUCKET/drop/${me.creatorId}/default/clip.mp4`}</code>
      </pre>
    </section>
  );
}
