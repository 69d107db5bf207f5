import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Confirm } from '../parts/confirm.tsx';
import { moment, span, usd } from '../parts/format.ts';
import type { Media } from '../parts/state-badge.tsx';
import { tell } from '../parts/toasts.tsx';
import { useSession } from '../use-session.ts';

type Action = 'retry' | 'cancel' | 'retranscode' | 'rollback' | 'delete';

/** What can be done with it now. Each says first what will happen. */
export function Actions({ media, reload }: { media: Media; reload: () => Promise<unknown> }) {
  const [asked, setAsked] = useState<Action | null>(null);
  const { client } = useSession();
  const { id, state, playable, previous, scheduleRetranscode, attempts, maxAttempts } = media;
  const undo = async () => {
    await client.call('undeleteMedia', { id });
    await reload();
  };
  const run = async (action: Action) => {
    if (action === 'retry') await client.call('retryMedia', { id });
    if (action === 'cancel') await client.call('cancelMedia', { id });
    if (action === 'retranscode') await client.call('retranscodeMedia', { id });
    if (action === 'rollback') await client.call('rollbackMedia', { id });
    if (action === 'delete') {
      const { undeletable } = await client.call('deleteMedia', { id });
      tell('Marked for deletion.', undeletable ? { name: 'Undo', run: () => void undo() } : undefined);
    }
    await reload();
  };
  return (
    <div className="row start actions">
      {state === 'failed' && attempts < maxAttempts && (
        <button type="button" className="primary" onClick={() => setAsked('retry')}>
          Retry
        </button>
      )}
      {(state === 'transcoding' || state === 'uploaded' || state === 'retranscoding') && (
        <button type="button" onClick={() => setAsked('cancel')}>
          End the encode
        </button>
      )}
      {playable && !scheduleRetranscode && (
        <button type="button" onClick={() => setAsked('retranscode')}>
          Encode again
        </button>
      )}
      {playable && previous && (
        <button type="button" onClick={() => setAsked('rollback')}>
          {`Go back to version ${previous.n}`}
        </button>
      )}
      {state === 'deleting' && media.undeletable && (
        <button type="button" className="primary" onClick={() => void undo().catch((error) => tell(String(error)))}>
          Undo the deletion
        </button>
      )}
      {state !== 'deleting' && (
        <button type="button" className="danger" onClick={() => setAsked('delete')}>
          Delete
        </button>
      )}
      {asked && <Asked action={asked} media={media} onDo={() => run(asked)} onClose={() => setAsked(null)} />}
    </div>
  );
}

function Asked({
  action,
  media,
  onDo,
  onClose,
}: {
  action: Action;
  media: Media;
  onDo: () => Promise<void>;
  onClose: () => void;
}) {
  const common = { onDo, onClose };
  switch (action) {
    case 'retry':
      return (
        <Confirm title="Retry?" verb="Retry" {...common}>
          <p>{`It is encoded once more: attempt ${media.attempts + 1} of ${media.maxAttempts}.`}</p>
          <Expected media={media} />
        </Confirm>
      );
    case 'cancel':
      return (
        <Confirm title="End the encode?" verb="End it" danger {...common}>
          <p>
            {media.playable ? 'It plays on as it is.' : 'It fails with “cancelled”, and can be retried.'} What was
            encoded so far is lost.
          </p>
        </Confirm>
      );
    case 'retranscode':
      return (
        <Confirm title="Encode again?" verb="Encode again" {...common}>
          <p>
            Within some minutes it is encoded with the present preset of its collection. The version of now plays until
            the new one is there, and can be put back for a time.
          </p>
          <Expected media={media} />
        </Confirm>
      );
    case 'rollback':
      return (
        <Confirm title={`Go back to version ${media.previous?.n}?`} verb="Go back" {...common}>
          <p>
            {`Viewers get the version of ${moment(media.previous?.publishedAt ?? media.updatedAt)} again. Nothing is encoded, and the same step undoes it until ${moment(media.previous?.expiresAt ?? media.updatedAt)}.`}
          </p>
        </Confirm>
      );
    case 'delete':
      return (
        <Confirm title="Delete?" verb="Delete" danger {...common}>
          <p>
            {`“${media.title}”, its original and all its versions are removed for good within minutes. `}
            {media.state === 'ready' || media.state === 'failed'
              ? 'Until that begins, it can be undone.'
              : 'An encode is under way, which is ended: this cannot be undone.'}
          </p>
        </Confirm>
      );
  }
}

/** What an encode of it would take. */
function Expected({ media: { id } }: { media: Media }) {
  const { client } = useSession();
  const { data } = useQuery({
    queryKey: ['estimate', id],
    queryFn: () => client.call('estimate', { body: { mediaId: id } }),
  });
  const [chosen] = data?.choice ?? [];
  return chosen ? <p>{`Expected on ${chosen.engine}: ${span(chosen.seconds)}, ${usd(chosen.usd)}.`}</p> : null;
}
