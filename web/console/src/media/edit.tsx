import { type FormEvent, useState } from 'react';
import { Notice } from '../parts/notice.tsx';
import type { Media } from '../parts/state-badge.tsx';
import { tell } from '../parts/toasts.tsx';
import { useCollections } from '../use-collections.ts';
import { useSession } from '../use-session.ts';

const tagsOf = (text: string) =>
  text
    .split(',')
    .map((tag) => tag.trim())
    .filter(Boolean);

export function Edit({ media, reload }: { media: Media; reload: () => Promise<unknown> }) {
  const { client } = useSession();
  const collections = useCollections();
  const [title, setTitle] = useState(media.title);
  const [tags, setTags] = useState(media.tags.join(', '));
  const [collectionId, setCollection] = useState(media.collectionId);
  const [error, setError] = useState<unknown>(null);
  const changed = {
    ...(title !== media.title && { title }),
    ...(tags !== media.tags.join(', ') && { tags: tagsOf(tags) }),
    ...(collectionId !== media.collectionId && { collectionId }),
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await client.call('patchMedia', { id: media.id, body: changed });
      tell('Saved.');
      await reload();
    } catch (cause) {
      setError(cause);
    }
  };
  const known = collections.some(({ id }) => id === media.collectionId);
  return (
    <form onSubmit={(event) => void save(event)}>
      <h2>Details</h2>
      <label>
        Title
        <input required maxLength={200} value={title} onChange={({ target }) => setTitle(target.value)} />
      </label>
      <label>
        Tags, separated by commas
        <input value={tags} onChange={({ target }) => setTags(target.value)} />
      </label>
      <label>
        Collection
        <select value={collectionId} onChange={({ target }) => setCollection(target.value)}>
          {!known && <option value={media.collectionId}>{media.collectionId}</option>}
          {collections.map((collection) => (
            <option key={collection.id} value={collection.id}>
              {collection.title}
            </option>
          ))}
        </select>
      </label>
      {error !== null && <Notice error={error} />}
      <button type="submit" disabled={Object.keys(changed).length === 0 || media.state === 'deleting'}>
        Save
      </button>
    </form>
  );
}
