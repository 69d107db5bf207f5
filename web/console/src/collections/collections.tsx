import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link } from 'wouter';
import { EngineChoice } from '../../../../core/contracts/engines.ts';
import { Notice } from '../parts/notice.tsx';
import { tell } from '../parts/toasts.tsx';
import { type Collection, useCollections } from '../use-collections.ts';
import { usePresets } from '../use-presets.ts';
import { useSession } from '../use-session.ts';
import { Archive } from './archive.tsx';
import { EmbedSites } from './embed-sites.tsx';

/** @param params `id`: the collection that is open */
export default function Collections({ params }: { params: { id?: string } }) {
  const collections = useCollections();
  return (
    <>
      <h1>Collections</h1>
      <p className="label">
        A collection says how its media are encoded, who may play them, and what becomes of originals.
      </p>
      {collections.map((collection) => (
        <One key={collection.id} collection={collection} isNamed={collection.id === params.id} />
      ))}
      <Create />
    </>
  );
}

function One({ collection, isNamed }: { collection: Collection; isNamed: boolean }) {
  const [open, setOpen] = useState(isNamed);
  const { id, title, preset } = collection;
  return (
    <details className="panel" open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{`${title} (${id})`}</summary>
      {open && (
        <>
          <p className="row start">
            <Link href={`/?collection=${id}`}>Its media</Link>
            <Link href={`/presets/${preset}`}>{`Its preset, ${preset}`}</Link>
            <Link href={`/collections/${id}`}>Address of this collection</Link>
          </p>
          <Settings key={collection.updatedAt} collection={collection} />
          <Archive id={id} />
        </>
      )}
    </details>
  );
}

function Create() {
  const { client } = useSession();
  const queries = useQueryClient();
  const [id, setId] = useState('');
  const [error, setError] = useState<unknown>(null);
  const create = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await client.call('createCollection', { body: { id } });
      setId('');
      setError(null);
      await queries.invalidateQueries({ queryKey: ['collections'] });
    } catch (cause) {
      setError(cause);
    }
  };
  return (
    <form onSubmit={(event) => void create(event)} className="panel">
      <h2>New collection</h2>
      <label>
        Id: letters, digits, dots and hyphens
        <input
          required
          maxLength={64}
          pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"
          value={id}
          onChange={({ target }) => setId(target.value)}
        />
      </label>
      {error !== null && <Notice error={error} />}
      <button type="submit">Create</button>
    </form>
  );
}

function Settings({ collection }: { collection: Collection }) {
  const { client } = useSession();
  const queries = useQueryClient();
  const presets = usePresets();
  const [given, setGiven] = useState(collection);
  const [error, setError] = useState<unknown>(null);
  const set = (change: Partial<Collection>) => setGiven({ ...given, ...change });
  const { title, preset, engine, playback, embedOrigins, deleteOriginal } = given;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const body = {
      ...(title !== collection.title && { title }),
      ...(preset !== collection.preset && { preset }),
      ...(engine !== collection.engine && { engine: EngineChoice.parse(engine) }),
      ...(playback !== collection.playback && { playback }),
      ...(String(embedOrigins) !== String(collection.embedOrigins) && { embedOrigins }),
      ...(deleteOriginal !== collection.deleteOriginal && { deleteOriginal }),
    };
    if (Object.keys(body).length === 0) return;
    try {
      await client.call('patchCollection', { id: collection.id, body });
      tell('Saved. It applies to what is encoded from now on.');
      await queries.invalidateQueries({ queryKey: ['collections'] });
    } catch (cause) {
      setError(cause);
    }
  };
  return (
    <form onSubmit={(event) => void save(event)}>
      <label>
        Title
        <input required maxLength={200} value={title} onChange={({ target }) => set({ title: target.value })} />
      </label>
      <label>
        Preset
        <select value={preset} onChange={({ target }) => set({ preset: target.value })}>
          {presets.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Engine
        <select value={engine} onChange={({ target }) => set({ engine: target.value })}>
          {EngineChoice.options.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Playback
        <select value={playback} onChange={({ target }) => set({ playback: target.value as Collection['playback'] })}>
          <option value="public">public: by anyone who has the address</option>
          <option value="private">private: with a session or a signed link</option>
        </select>
      </label>
      <EmbedSites sites={embedOrigins} set={(sites) => set({ embedOrigins: sites })} />
      <label className="check">
        <input
          type="checkbox"
          checked={deleteOriginal}
          onChange={({ target }) => set({ deleteOriginal: target.checked })}
        />
        Delete the original once its media item is ready
      </label>
      {error !== null && <Notice error={error} />}
      <button type="submit">Save</button>
    </form>
  );
}
