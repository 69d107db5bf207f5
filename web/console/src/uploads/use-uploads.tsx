import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useSession } from '../use-session.ts';
import { Uploads } from './uploads.ts';

/** Where files go that are chosen or dropped. */
interface Place {
  collectionId: string;
  title: string;
}

interface Context {
  uploads: Uploads;
  /** Asks for files. */
  choose: () => void;
  /** Null: the default collection. */
  place: Place | null;
  setPlace: (place: Place | null) => void;
}

const UploadsContext = createContext<Context | null>(null);

export function useUploads() {
  const context = useContext(UploadsContext);
  if (!context) throw new Error('no uploads');
  return context;
}

/** While this is shown, files go to that collection. */
export function useUploadPlace(collection: { id: string; title: string } | undefined): void {
  const { setPlace } = useUploads();
  const { id, title } = collection ?? {};
  useEffect(() => {
    setPlace(id === undefined || title === undefined ? null : { collectionId: id, title });
    return () => setPlace(null);
  }, [setPlace, id, title]);
}

export function useUploadItems() {
  const { uploads } = useUploads();
  return useSyncExternalStore(uploads.subscribe, uploads.items);
}

/** The page's transfers, which go on from page to page. */
export function UploadsProvider({ children }: { children: ReactNode }) {
  const { client, me } = useSession();
  const queries = useQueryClient();
  const [uploads] = useState(() => new Uploads(client, me.creatorId));
  const [place, setPlace] = useState<Place | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    let done = 0;
    return uploads.subscribe(() => {
      const now = uploads.items().filter(({ id, state }) => id && state !== 'sending').length;
      if (now !== done) void queries.invalidateQueries({ queryKey: ['newest'] });
      done = now;
    });
  }, [uploads, queries]);
  return (
    <UploadsContext value={{ uploads, choose: () => input.current?.click(), place, setPlace }}>
      {children}
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to upload"
        onChange={({ target }) => {
          uploads.add([...(target.files ?? [])], place?.collectionId);
          target.value = '';
        }}
      />
    </UploadsContext>
  );
}
